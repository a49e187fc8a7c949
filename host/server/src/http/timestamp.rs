//! Moments on the wire (contract `README.md` §6).

use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// A moment: RFC 3339 in UTC with `Z`, microseconds, no fraction when it is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2025-01-02T09:00:00Z")]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// As it is written.
    pub fn text(self) -> String {
        let whole = self.0.nanosecond() / 1_000 == 0;
        self.0.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Micros }, true)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_has_six_digits_or_is_not_there() {
        for (text, expected) in [
            ("2024-05-02T08:15:30.123456Z", "2024-05-02T08:15:30.123456Z"),
            ("2024-05-02T10:15:30.5+02:00", "2024-05-02T08:15:30.500000Z"),
            ("2024-05-02T08:15:30Z", "2024-05-02T08:15:30Z"),
            ("2024-05-02T08:15:30.0000009Z", "2024-05-02T08:15:30Z"),
        ] {
            let moment: DateTime<Utc> = text.parse().unwrap();
            assert_eq!(serde_json::json!(Timestamp(moment)), expected);
        }
    }
}
