//! What promotions there are.

use serde::Serialize;

/// A kind of promotion. The order is alphabetical: that of the columns of feature sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionKind {
    /// Buy one, get one.
    Bogo,
    /// Together with other products.
    Bundle,
    /// Clearance.
    Markdown,
    /// Cheaper by a share.
    PctOff,
}

impl PromotionKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bogo, Self::Bundle, Self::Markdown, Self::PctOff];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bogo => "bogo",
            Self::Bundle => "bundle",
            Self::Markdown => "markdown",
            Self::PctOff => "pct_off",
        }
    }
}
