//! A plugin that breaks its promises in as many ways as its configuration knows. With `"fault": "none"` it is the
//! naive model.

use std::hint::black_box;

use retailcast_sdk::log::{Level, log};
use retailcast_sdk::{Error, ForecastModel, Forecasts, FutureData, Info, Requirements, TrainingData, state};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Nothing.
    None,
    /// `fit` never ends.
    LoopInFit,
    /// `predict` never ends.
    LoopInPredict,
    /// `needs` never ends.
    LoopInNeeds,
    /// `fit` takes memory until there is none.
    MemoryBomb,
    /// `fit` panics with a text.
    Panic,
    /// `fit` recurses without end.
    DeepRecursion,
    /// `fit` sleeps for an hour.
    Sleep,
    /// A point is NaN.
    Nan,
    /// A point is missing.
    WrongLength,
    /// The upper bound is below the point.
    CrossingIntervals,
    /// Intervals that the requirements deny.
    UnpromisedIntervals,
    /// No intervals, which the requirements promise.
    MissingIntervals,
    /// A fallback names a series that does not exist.
    StrangeFallback,
    /// A failed series has a point all the same.
    ZombieSeries,
    /// A failure names a series that does not exist.
    StrangeFailure,
    /// `save` gives more than is allowed.
    HugeState,
    /// `predict` gives millions of points.
    HugeResult,
    /// `fit` writes a million lines to the log.
    LogFlood,
    /// `fit` writes a hundred megabytes to standard error.
    StderrFlood,
    /// `fit` writes a line to standard error and one to the log, and works.
    Chatter,
    /// `fit` refuses as it may.
    Refusal,
    /// `requirements` asks for a lag of a billion rows.
    HugeLag,
}

/// The last value, and what goes wrong.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hostile {
    last: Vec<f64>,
    fault: Fault,
}

/// Which fault.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    #[serde(default = "no_fault")]
    fault: Fault,
}

fn no_fault() -> Fault {
    Fault::None
}

fn forever() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

#[allow(unconditional_recursion, reason = "that is the fault")]
fn recurse(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    black_box(recurse(depth + 1)) + room[0]
}

impl ForecastModel for Hostile {
    type Config = Config;
    const INFO: Info =
        Info { name: "hostile", version: "0.1.0", licence: "Apache-2.0", summary: "Breaks its promises." };

    fn requirements(config: &Config) -> Result<Requirements, Error> {
        match config.fault {
            Fault::LoopInNeeds => forever(),
            Fault::HugeLag => Ok(Requirements::table(
                1,
                vec![retailcast_sdk::Feature::Lag(1_000_000_000)],
                retailcast_sdk::ShortLags::Direct,
            )),
            Fault::CrossingIntervals | Fault::MissingIntervals => {
                Ok(Requirements { intervals: true, ..Requirements::series(1) })
            }
            _ => Ok(Requirements::series(1)),
        }
    }

    fn fit(config: &Config, data: &dyn TrainingData) -> Result<Self, Error> {
        match config.fault {
            Fault::LoopInFit => forever(),
            Fault::MemoryBomb => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(black_box(vec![1; 1 << 20]));
                }
            }
            Fault::Panic => panic!("the shelf fell down at row {}", data.target().len()),
            Fault::DeepRecursion => {
                black_box(recurse(0));
            }
            Fault::Sleep => std::thread::sleep(std::time::Duration::from_hours(1)),
            Fault::LogFlood => {
                for line in 0..1_000_000 {
                    log(Level::Info, "flood", &[("line", line.to_string())]);
                }
            }
            Fault::StderrFlood => {
                for _ in 0..100_000 {
                    eprintln!("{}", "x".repeat(1000));
                }
            }
            Fault::Chatter => {
                eprintln!("a word on standard error");
                log(Level::Info, "a word in the log", &[]);
            }
            Fault::Refusal => return Err(Error::numeric("no convergence after 7 steps")),
            _ => {}
        }
        let last = (0..data.series_count()).map(|i| data.target_tail(i, 1)[0]).collect();
        Ok(Self { last, fault: config.fault })
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        let (series, horizon) = (self.last.len(), ahead.horizon());
        let mut forecasts = Forecasts::new(series, horizon);
        for last in &self.last {
            forecasts.push(Ok(vec![*last; horizon]));
        }
        match self.fault {
            Fault::LoopInPredict => forever(),
            Fault::Nan => forecasts.points[0] = f64::NAN,
            Fault::WrongLength => {
                forecasts.points.pop();
            }
            Fault::CrossingIntervals => {
                forecasts.levels = vec![0.8];
                forecasts.lower = forecasts.points.iter().map(|p| p - 1.0).collect();
                forecasts.upper = forecasts.points.iter().map(|p| p - 0.5).collect();
            }
            Fault::UnpromisedIntervals => {
                forecasts.levels = vec![0.8];
                forecasts.lower.clone_from(&forecasts.points);
                forecasts.upper.clone_from(&forecasts.points);
            }
            Fault::StrangeFallback => forecasts.fallbacks.push((77, "naive".to_owned())),
            Fault::ZombieSeries => forecasts.failures.push(Error::numeric("?").for_series(0)),
            Fault::StrangeFailure => forecasts.failures.push(Error::numeric("?").for_series(77)),
            Fault::HugeResult => forecasts.points = vec![1.0; 1 << 20],
            _ => {}
        }
        Ok(forecasts)
    }

    fn save(&self) -> Vec<u8> {
        if self.fault == Fault::HugeState {
            return vec![7; 8 << 20];
        }
        state::encode::<Self>(self)
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        state::decode::<Self, _>(bytes)
    }
}

retailcast_sdk::export!(Hostile as ForecastModel);
