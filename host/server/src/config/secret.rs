//! Keys of providers: read as text, never printed.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

/// A key. What is no text is refused without being repeated.
pub(super) fn secret<'de, D: Deserializer<'de>>(d: D) -> Result<SecretString, D::Error> {
    String::deserialize(d).map(SecretString::from).map_err(|_| serde::de::Error::custom("a key must be text"))
}
