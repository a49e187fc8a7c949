//! Floats that may be infinite or not a number (contract `README.md` §6).

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A float that is null on the wire when it is not finite.
#[derive(Debug, Clone, Copy, PartialEq, ToSchema)]
#[schema(value_type = Option<f64>)]
pub struct Number(pub f64);

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Some(self.0).filter(|value| value.is_finite()).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_finite_is_null() {
        assert_eq!(json!([1.5, 2.0].map(Number)).to_string(), "[1.5,2.0]");
        assert_eq!(
            json!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Number)),
            json!([null, null, null])
        );
    }
}
