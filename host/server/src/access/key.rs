//! Keys: what a client holds, and what is kept of it.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::Scope;

/// `rc_ID_SECRET`: 12 hexadecimal digits that name the key and 64 that prove it. Never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: String,
    secret: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no API key: those are `rc_`, 12 hexadecimal digits, `_` and 64 hexadecimal digits")]
pub struct MalformedKey;

const ID_DIGITS: usize = 12;
const SECRET_DIGITS: usize = 64;

impl Token {
    /// A new one, of the random numbers of the operating system.
    pub fn random() -> Self {
        let digits = || Uuid::new_v4().simple().to_string();
        Self { id: digits()[..ID_DIGITS].to_owned(), secret: digits() + &digits() }
    }

    /// Of what a client sends.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let (id, secret) =
            text.strip_prefix("rc_").and_then(|rest| rest.split_once('_')).ok_or(MalformedKey)?;
        let hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if hex(id, ID_DIGITS) && hex(secret, SECRET_DIGITS) {
            return Ok(Self { id: id.to_owned(), secret: secret.to_owned() });
        }
        Err(MalformedKey)
    }

    /// The part that names it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is kept.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// What the client keeps.
    pub fn reveal(&self) -> String {
        format!("rc_{}_{}", self.id, self.secret)
    }
}

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Names it.
    pub id: String,
    /// Who has it, in the operator's words.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// SHA-256 of the secret.
    pub(super) sha256: [u8; 32],
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it is no longer valid.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was withdrawn.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Key {
    /// Whether this token proves it. How long that takes says nothing about the secret.
    pub(super) fn is_proven_by(&self, token: &Token) -> bool {
        self.sha256.ct_eq(&token.sha256()).into()
    }

    /// Why it is not valid any more, if it is not.
    pub fn is_over(&self, now: DateTime<Utc>) -> Option<&'static str> {
        if self.revoked_at.is_some() {
            Some("revoked")
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Some("expired")
        } else {
            None
        }
    }
}

/// A key that was just made; its token is shown once.
#[derive(Debug, Clone)]
pub struct Issued {
    /// What is kept.
    pub key: Key,
    /// What the client gets.
    pub token: Token,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_says_nothing_when_it_is_debugged() {
        let token = Token::random();
        assert_eq!(Token::parse(&token.reveal()), Ok(token.clone()));
        assert!(!format!("{token:?}").contains(&token.secret));
        assert_ne!(Token::random().secret, token.secret);
    }

    #[test]
    fn what_is_no_key() {
        let good = Token::random().reveal();
        for wrong in ["", "rc_", "rc__", &good[1..], &good[..good.len() - 1], &good.to_uppercase()] {
            assert_eq!(Token::parse(wrong), Err(MalformedKey), "{wrong}");
        }
    }

    #[test]
    fn only_its_own_token_proves_a_key() {
        let token = Token::random();
        let key = Key {
            id: token.id().to_owned(),
            name: "till".to_owned(),
            scope: Scope::Read,
            sha256: token.sha256(),
            created_at: Utc::now(),
            expires_at: None,
            revoked_at: None,
        };
        assert!(key.is_proven_by(&token));
        assert!(!key.is_proven_by(&Token { id: token.id.clone(), secret: Token::random().secret }));
        let now = Utc::now();
        assert_eq!(key.is_over(now), None);
        assert_eq!(Key { expires_at: Some(now), ..key.clone() }.is_over(now), Some("expired"));
        assert_eq!(Key { revoked_at: Some(now), ..key }.is_over(now), Some("revoked"));
    }
}
