//! What an agent proposes to try, from an objective in a person's words.

use chrono::NaiveDate;
use serde::Serialize;

use super::assumptions::{Assumptions, PriceAssumption, PromotionAssumption, PromotionKind};

/// Words by which an objective asks for a promotion.
const PROMOTION_WORDS: [&str; 5] = ["promo", "promotion", "discount", "sale", "markdown"];
/// What is proposed otherwise: 15 % cheaper.
const PRICE_CHANGE: f64 = -0.15;

/// What to try.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// Days.
    pub horizon: usize,
    /// As asked.
    pub objective: String,
    /// To simulate with.
    pub assumptions: Assumptions,
    /// For people.
    pub recommendation: String,
}

/// There is nothing to propose for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingPair {
    /// False.
    pub valid: bool,
    /// False.
    pub persistable: bool,
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// `store_id=…`, `product_id=…`.
    pub missing: Vec<String>,
    /// For people.
    pub error: String,
}

/// Either.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Proposed {
    /// What to try.
    Plan(Proposal),
    /// The store or the product does not exist.
    Missing(MissingPair),
}

/// What is known of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PairFacts {
    pub(super) store_exists: bool,
    pub(super) product_exists: bool,
    pub(super) unit_price: Option<f64>,
}

impl Proposed {
    /// For the `horizon` days from `tomorrow`.
    pub(super) fn new(
        (store_id, product_id): (i32, i32),
        horizon: usize,
        objective: &str,
        tomorrow: NaiveDate,
        facts: PairFacts,
    ) -> Self {
        let missing: Vec<String> = [
            (!facts.store_exists).then(|| format!("store_id={store_id}")),
            (!facts.product_exists).then(|| format!("product_id={product_id}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !missing.is_empty() {
            let error =
                format!("there is no {}; GET /dimensions lists what there is", missing.join(" and no "));
            return Self::Missing(MissingPair {
                valid: false,
                persistable: false,
                store_id,
                product_id,
                missing,
                error,
            });
        }
        let end = tomorrow + chrono::Days::new(horizon.saturating_sub(1) as u64);
        let (assumptions, action) = assume(objective, tomorrow, end);
        let price = facts
            .unit_price
            .map_or_else(String::new, |price| format!(" The newest unit price is {price:.2}."));
        let recommendation = format!(
            "Simulate {action} from {tomorrow} to {end} against the baseline before deciding.{price}"
        );
        Self::Plan(Proposal {
            store_id,
            product_id,
            horizon,
            objective: objective.to_owned(),
            assumptions,
            recommendation,
        })
    }
}

fn assume(objective: &str, start_date: NaiveDate, end_date: NaiveDate) -> (Assumptions, &'static str) {
    let objective = objective.to_lowercase();
    if PROMOTION_WORDS.iter().any(|word| objective.contains(word)) {
        let promotion = PromotionAssumption { kind: PromotionKind::PctOff, start_date, end_date };
        (Assumptions { promotion: Some(promotion), ..Assumptions::default() }, "a percent-off promotion")
    } else {
        let price = PriceAssumption { change_pct: PRICE_CHANGE, start_date, end_date };
        (Assumptions { price: Some(price), ..Assumptions::default() }, "a price cut of 15 %")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn propose(objective: &str, facts: PairFacts) -> serde_json::Value {
        let tomorrow = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        serde_json::to_value(Proposed::new((3, 17), 7, objective, tomorrow, facts)).unwrap()
    }

    const KNOWN: PairFacts = PairFacts { store_exists: true, product_exists: true, unit_price: Some(4.5) };

    #[test]
    fn the_objective_decides_between_promotion_and_price() {
        let window = json!({"start_date": "2026-07-01", "end_date": "2026-07-07"});
        for objective in ["Raise SALES", "a promo", "mark it down: markdown", "Discount!"] {
            let found = propose(objective, KNOWN);
            assert_eq!(found["assumptions"]["promotion"]["kind"], "pct_off", "{objective}");
            assert_eq!(found["assumptions"]["promotion"]["end_date"], window["end_date"]);
            assert!(found["assumptions"]["price"].is_null());
        }
        let found = propose("more volume", KNOWN);
        assert_eq!(found["assumptions"]["price"]["change_pct"], -0.15);
        assert_eq!(found["assumptions"]["price"]["start_date"], window["start_date"]);
        assert!(found["recommendation"].as_str().unwrap().contains("4.50"));
        let unpriced = propose("more volume", PairFacts { unit_price: None, ..KNOWN });
        assert!(!unpriced["recommendation"].as_str().unwrap().contains("unit price"));
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let found = propose("x", PairFacts { store_exists: false, product_exists: false, unit_price: None });
        assert_eq!(found["missing"], json!(["store_id=3", "product_id=17"]));
        assert_eq!((&found["valid"], &found["persistable"]), (&json!(false), &json!(false)));
        assert!(found.get("assumptions").is_none());
    }
}
