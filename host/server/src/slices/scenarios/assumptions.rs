//! What a planner assumes. One shape on the wire, in stored plans and inside.

use std::collections::HashSet;

use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_core::config_schema::FieldError;
use retailcast_runtime::scenario;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::fields::{self, Fields};
use crate::slices::forecasting::what_if::Changes;

/// What is assumed; null is no assumption. A window whose ends are reversed means the same as the right way round.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScenarioAssumptions, example = json!({
    "price": {"change_pct": -0.15, "start_date": "2026-07-01", "end_date": "2026-07-03"},
    "promotion": {"kind": "bogo", "start_date": "2026-07-02", "end_date": "2026-07-02"},
    "holiday": {"dates": ["2026-07-03"]}, "inventory": {"on_hand_units": 45}, "lifecycle": {"stage": "decline"}}))]
pub struct Assumptions {
    /// Another price.
    pub price: Option<PriceAssumption>,
    /// A promotion.
    pub promotion: Option<PromotionAssumption>,
    /// Days taken as holidays.
    pub holiday: Option<HolidayAssumption>,
    /// Stock for the horizon; it changes no forecast, only the verdict on coverage.
    pub inventory: Option<InventoryAssumption>,
    /// Stage of life throughout the horizon. Models that read features know no stages.
    pub lifecycle: Option<LifecycleAssumption>,
}

/// A relative change of the price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceAssumption {
    /// Fraction: -0.15 is 15 % cheaper.
    #[schema(minimum = -0.9, maximum = 5)]
    pub change_pct: f64,
    /// First day.
    pub start_date: NaiveDate,
    /// Last day.
    pub end_date: NaiveDate,
}

/// The mechanic of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScenarioPromotionKind)]
pub enum PromotionKind {
    /// Percent off.
    PctOff,
    /// Buy one, get one.
    Bogo,
    /// Several products for one price.
    Bundle,
    /// Permanently cheaper, to clear stock.
    Markdown,
}

/// One promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PromotionAssumption {
    /// Its mechanic. Models that read features know only that there is a promotion.
    #[schema(inline)]
    pub kind: PromotionKind,
    /// First day.
    pub start_date: NaiveDate,
    /// Last day.
    pub end_date: NaiveDate,
}

/// Days taken as holidays, beside those of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HolidayAssumption {
    /// At least one.
    #[schema(min_items = 1)]
    pub dates: Vec<NaiveDate>,
}

/// Stock for the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InventoryAssumption {
    /// Units on hand.
    #[schema(minimum = 0)]
    pub on_hand_units: i64,
}

/// Stages of a product's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// New.
    Launch,
    /// Selling more and more.
    Growth,
    /// Steady.
    Maturity,
    /// Selling less and less.
    Decline,
}

/// Stage of life throughout the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LifecycleAssumption {
    /// The stage.
    #[schema(inline)]
    pub stage: Stage,
}

/// Both ends in order.
fn window(start: NaiveDate, end: NaiveDate) -> (Day, Day) {
    (Day::from_date(start.min(end)), Day::from_date(start.max(end)))
}

impl Assumptions {
    /// For models that cannot be asked: what an adjuster gets.
    pub(super) fn for_adjuster(&self) -> scenario::Assumptions {
        let window = |start, end| {
            let (first, last) = window(start, end);
            scenario::Window { first: first.0, last: last.0 }
        };
        scenario::Assumptions {
            price: self.price.map(|price| scenario::PriceChange {
                change: price.change_pct,
                during: window(price.start_date, price.end_date),
            }),
            promotion: self.promotion.map(|promotion| scenario::Promotion {
                kind: match promotion.kind {
                    PromotionKind::PctOff => scenario::PromotionKind::PctOff,
                    PromotionKind::Bogo => scenario::PromotionKind::Bogo,
                    PromotionKind::Bundle => scenario::PromotionKind::Bundle,
                    PromotionKind::Markdown => scenario::PromotionKind::Markdown,
                },
                during: window(promotion.start_date, promotion.end_date),
            }),
            holidays: self.holidays().into_iter().map(|day| day.0).collect(),
            stage: self.lifecycle.map(|life| match life.stage {
                Stage::Launch => scenario::LifeCycleStage::Launch,
                Stage::Growth => scenario::LifeCycleStage::Growth,
                Stage::Maturity => scenario::LifeCycleStage::Maturity,
                Stage::Decline => scenario::LifeCycleStage::Decline,
            }),
        }
    }

    /// For models that read features: what differs in their inputs.
    pub(super) fn changes(&self) -> Changes {
        Changes {
            price: self.price.map(|price| (1.0 + price.change_pct, window(price.start_date, price.end_date))),
            promotion: self.promotion.map(|promotion| window(promotion.start_date, promotion.end_date)),
            holidays: self.holidays(),
        }
    }

    /// Every day once: a client may send one as often as it likes, and each is looked at on every day of the horizon.
    fn holidays(&self) -> Vec<Day> {
        let dates = self.holiday.iter().flat_map(|holiday| &holiday.dates);
        dates.collect::<HashSet<_>>().into_iter().map(|date| Day::from_date(*date)).collect()
    }
}

/// Reads assumptions as an adjuster gets them.
pub fn read_for_adjuster(value: &Value) -> Result<scenario::Assumptions, Vec<FieldError>> {
    Ok(read(value, "assumptions")?.for_adjuster())
}

/// Reads assumptions that stand at `location`.
pub(super) fn read(value: &Value, location: &str) -> Result<Assumptions, Vec<FieldError>> {
    let mut fields = Fields::inside(location, value)?;
    let at = |name: &str| format!("{location}.{name}");
    let made = Assumptions {
        price: fields.nullable_nested("price", |value| read_price(value, &at("price"))),
        promotion: fields.nullable_nested("promotion", |value| read_promotion(value, &at("promotion"))),
        holiday: fields.nullable_nested("holiday", |value| read_holiday(value, &at("holiday"))),
        inventory: fields.nullable_nested("inventory", |value| read_inventory(value, &at("inventory"))),
        lifecycle: fields.nullable_nested("lifecycle", |value| read_lifecycle(value, &at("lifecycle"))),
    };
    fields.finish(Some(made))
}

fn read_price(value: &Value, location: &str) -> Result<PriceAssumption, Vec<FieldError>> {
    let mut fields = Fields::inside(location, value)?;
    let change_pct = fields.required("change_pct", fields::strict_number(-0.9, 5.0));
    let start_date = fields.required("start_date", fields::date);
    let end_date = fields.required("end_date", fields::date);
    let made =
        (|| Some(PriceAssumption { change_pct: change_pct?, start_date: start_date?, end_date: end_date? }))(
        );
    fields.finish(made)
}

fn read_promotion(value: &Value, location: &str) -> Result<PromotionAssumption, Vec<FieldError>> {
    const KINDS: [(&str, PromotionKind); 4] = [
        ("pct_off", PromotionKind::PctOff),
        ("bogo", PromotionKind::Bogo),
        ("bundle", PromotionKind::Bundle),
        ("markdown", PromotionKind::Markdown),
    ];
    let mut fields = Fields::inside(location, value)?;
    let kind = fields.required("kind", fields::choice(&KINDS));
    let start_date = fields.required("start_date", fields::date);
    let end_date = fields.required("end_date", fields::date);
    let made = (|| Some(PromotionAssumption { kind: kind?, start_date: start_date?, end_date: end_date? }))();
    fields.finish(made)
}

fn read_holiday(value: &Value, location: &str) -> Result<HolidayAssumption, Vec<FieldError>> {
    let mut fields = Fields::inside(location, value)?;
    let dates = fields.required_items("dates", (1, usize::MAX), fields::date);
    fields.finish(dates.map(|dates| HolidayAssumption { dates }))
}

fn read_inventory(value: &Value, location: &str) -> Result<InventoryAssumption, Vec<FieldError>> {
    let mut fields = Fields::inside(location, value)?;
    let on_hand_units = fields.required("on_hand_units", fields::strict_int(0, i64::MAX));
    fields.finish(on_hand_units.map(|on_hand_units| InventoryAssumption { on_hand_units }))
}

fn read_lifecycle(value: &Value, location: &str) -> Result<LifecycleAssumption, Vec<FieldError>> {
    const STAGES: [(&str, Stage); 4] = [
        ("launch", Stage::Launch),
        ("growth", Stage::Growth),
        ("maturity", Stage::Maturity),
        ("decline", Stage::Decline),
    ];
    let mut fields = Fields::inside(location, value)?;
    let stage = fields.required("stage", fields::choice(&STAGES));
    fields.finish(stage.map(|stage| LifecycleAssumption { stage }))
}
