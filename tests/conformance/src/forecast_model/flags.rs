//! What the requirements say is true.

use retailcast_core::frame::Feature;
use retailcast_runtime::panel::{Ahead, History};
use retailcast_runtime::{Forecasts, GuestErrorCode, Input, PluginError, Requirements};

use super::history::ordinary;
use super::subject::{Subject, Variant, ordinary_data, same};
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "flags.intervals",
        title: "It gives intervals when it promises them, and only then",
        rule: "There are interval levels if and only if the requirements say `intervals: true` for the configuration.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Set `intervals` in the requirements and fill `levels`, `lower` and `upper`, or do neither.",
        body: |subject| ordinary_data(subject, "flags.intervals", "intervals as the requirements say"),
    },
    Check {
        id: "flags.min-history",
        title: "Its least history is enough",
        rule: "Series of exactly `min-history` rows are not refused with `not-enough-history`, and crash nothing.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Raise `min-history` to what `fit` really needs: the host refuses shorter series before the plugin is asked.",
        body: min_history,
    },
    Check {
        id: "flags.exogenous",
        title: "Future prices, promotions or holidays change its forecast",
        rule: "When `exogenous` is declared, the forecast under other future prices, promotions and holidays is another one.",
        level: Level::Full,
        applies: Applies {
            when: "when the requirements say `exogenous: true`",
            to: |subject| subject.declares(|needs| needs.exogenous),
        },
        mend: "Read the columns in `predict`, not only in `fit`; or declare `exogenous: false`.",
        body: exogenous,
    },
    Check {
        id: "flags.endogenous",
        title: "Without that promise they do not",
        rule: "When `exogenous` is not declared, other future prices, promotions and holidays change nothing.",
        level: Level::Full,
        applies: Applies {
            when: "when the requirements say `exogenous: false` and name a price, promotion or holiday column",
            to: |subject| subject.declares(|needs| !needs.exogenous && reads_plans(needs)),
        },
        mend: "Declare `exogenous: true`: clients are told which inputs a forecast assumes.",
        body: endogenous,
    },
];

fn reads_plans(needs: &Requirements) -> bool {
    let plan = |f: &Feature| matches!(f, Feature::PriceFactor | Feature::PromoActive | Feature::IsHoliday);
    matches!(&needs.input, Input::Table { features, .. } if features.iter().any(plan))
}

fn min_history(subject: &Subject) -> Outcome {
    for variant in subject.ready()? {
        let rows = variant.needs.min_history;
        let three: Vec<History> = (1..=3).map(|who| ordinary(who, rows)).collect();
        for panel in [&three[..1], &three] {
            let case = variant.case(&format!("{} ordinary series of {rows} rows", panel.len()), 7);
            let refused = match subject.forecast(variant, panel, 7) {
                Ok(f) => f.failures.into_iter().map(PluginError::Guest).next(),
                Err(e) => Some(e),
            };
            match refused {
                Some(PluginError::Guest(e)) if e.code != GuestErrorCode::NotEnoughHistory => {}
                Some(e) => return Err(Problem::of(&e, "a forecast", &case)),
                None => {}
            }
        }
    }
    Ok(())
}

/// Forecasts with everything as it was, and with a promotion, half the price and holidays on all days.
fn with_and_without(subject: &Subject, variant: &Variant) -> Result<(Forecasts, Forecasts), PluginError> {
    let panel = [ordinary(1, variant.rows() + 240), ordinary(2, variant.rows() + 240)];
    let mut run = subject.open(variant)?;
    let fitted = run.fit(&panel)?;
    let ahead = |busy: bool, run: &super::subject::Run<'_>| -> Vec<Ahead> {
        let mut ahead: Vec<Ahead> = panel.iter().map(|h| run.ahead(h, 14)).collect();
        for row in ahead.iter_mut().flat_map(|ahead| &mut ahead.rows) {
            row.price_factor = if busy { 0.8 } else { 1.0 };
            (row.promo_active, row.is_holiday) = (busy, busy);
        }
        ahead
    };
    let (quiet, busy) = (ahead(false, &run), ahead(true, &run));
    Ok((run.predict_days(fitted, &quiet, 14)?, run.predict_days(fitted, &busy, 14)?))
}

const PLANS: &str = "2 ordinary series, once with nothing planned, once with promotions, a price factor of 0.8 and holidays on all 14 days";

fn exogenous(subject: &Subject) -> Outcome {
    for variant in subject.ready()?.iter().filter(|v| v.needs.exogenous) {
        let case = variant.case(PLANS, 14);
        let (quiet, busy) =
            with_and_without(subject, variant).map_err(|e| Problem::of(&e, "two forecasts", &case))?;
        if quiet.points == busy.points {
            return Failure::outcome("two different forecasts", "the same forecast twice", case);
        }
    }
    Ok(())
}

fn endogenous(subject: &Subject) -> Outcome {
    for variant in subject.ready()?.iter().filter(|v| !v.needs.exogenous && reads_plans(&v.needs)) {
        let case = variant.case(PLANS, 14);
        let (quiet, busy) =
            with_and_without(subject, variant).map_err(|e| Problem::of(&e, "two forecasts", &case))?;
        same(&quiet, &busy, "the forecast when nothing is planned", &case)?;
    }
    Ok(())
}
