//! The eleven steps, one after another, and who may run them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDate;
use futures::FutureExt;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

use super::call::{Failure, Outcome};
use super::models::{Scored, Winner};
use super::wire::{DemoRequest, EventType, StepEvent, StepStatus};
use super::{agent, data, models};
use crate::http::{App, Timestamp};

/// The steps, in order.
pub(super) const STEPS: [&str; 11] = [
    "precheck", "reset", "seed", "status", "features", "train", "backtest", "register", "verify", "agent",
    "cleanup",
];
/// All frames of a run fit, so that the run never waits for its reader.
const FRAMES: usize = 2 * STEPS.len() + 1;

/// Lets one run at a time through.
#[derive(Debug, Clone, Default)]
pub struct Demo {
    running: Arc<Mutex<()>>,
}

/// Proof that no other run is active.
pub(super) struct Turn(#[expect(dead_code, reason = "it is held until the run ends")] OwnedMutexGuard<()>);

/// What a run tells.
pub(super) enum News {
    Event(StepEvent),
    End(Summary),
}

impl Demo {
    /// The turn, unless somebody has it. It is never waited for.
    pub(super) fn turn(&self) -> Option<Turn> {
        Arc::clone(&self.running).try_lock_owned().ok().map(Turn)
    }
}

/// Starts a run. When nobody listens any more, the step that runs is finished, no further one begins, and the turn is
/// free.
pub(super) fn start(app: Arc<App>, request: DemoRequest, turn: Turn) -> mpsc::Receiver<News> {
    let (sender, receiver) = mpsc::channel(FRAMES + 1);
    tokio::spawn(async move {
        let summary = run(app, request, &sender).await;
        // The turn is free before the client learns that the run has ended: it may begin the next one at once.
        drop(turn);
        if let Some(summary) = summary {
            // Whoever listened may be gone.
            let _ = sender.send(News::End(summary)).await;
        }
    });
    receiver
}

/// Runs everything for somebody who reads along: name, outcome and one line of every step that has ended. Whether it
/// passed; none when another run is active.
pub async fn tell(
    app: &Arc<App>,
    request: DemoRequest,
    mut each: impl FnMut(&'static str, &'static str, &str),
) -> Option<bool> {
    let mut news = start(Arc::clone(app), request, app.demo.turn()?);
    let mut passed = false;
    while let Some(next) = news.recv().await {
        match next {
            News::Event(StepEvent { step_name, status: Some(status), detail, .. }) => {
                each(step_name, status.name(), &detail);
            }
            News::Event(_) => {}
            News::End(summary) => passed = !summary.failed,
        }
    }
    Some(passed)
}

/// What the steps find out for each other.
pub(super) struct Facts {
    pub(super) app: Arc<App>,
    pub(super) request: DemoRequest,
    /// Store and product.
    pub(super) pair: Option<(i32, i32)>,
    /// First and last day with sales.
    pub(super) range: Option<(NaiveDate, NaiveDate)>,
    /// Model files by model type, in order.
    pub(super) trained: Vec<(&'static str, String)>,
    pub(super) scored: Vec<Scored>,
    pub(super) winner: Option<Winner>,
    pub(super) run_id: Option<String>,
    pub(super) alias: Option<&'static str>,
    /// Session of the agent.
    pub(super) session_id: Option<String>,
}

/// How a run went.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    pub(super) failed: bool,
    pub(super) models: usize,
    pub(super) winner_model_type: Option<&'static str>,
    pub(super) winner_wape: Option<f64>,
    pub(super) winning_run_id: Option<String>,
    pub(super) alias: Option<&'static str>,
    pub(super) wall_clock_s: f64,
}

impl Summary {
    pub(super) fn data(&self) -> Map<String, Value> {
        super::call::object(json!({
            "winner_model_type": self.winner_model_type,
            "winner_wape": self.winner_wape,
            "winning_run_id": self.winning_run_id,
            "alias": self.alias,
            "wall_clock_s": self.wall_clock_s,
        }))
    }
}

/// Runs the steps; none when nobody listens any more.
async fn run(app: Arc<App>, request: DemoRequest, news: &mpsc::Sender<News>) -> Option<Summary> {
    let started = Instant::now();
    let mut facts = Facts {
        app,
        request,
        pair: None,
        range: None,
        trained: Vec::new(),
        scored: Vec::new(),
        winner: None,
        run_id: None,
        alias: None,
        session_id: None,
    };
    let mut failed = false;
    for (i, name) in STEPS.into_iter().enumerate() {
        if news.send(News::Event(frame(EventType::StepStart, i, None, 0.0))).await.is_err() {
            tracing::info!(step = name, "the client of the demo is gone, the run stops here");
            return None;
        }
        let began = Instant::now();
        // A defect of a step is a failed step and not a client that waits for ever.
        let outcome = AssertUnwindSafe(step(name, &mut facts)).catch_unwind().await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(Failure::new("the step ended unexpectedly; the log has why")));
        let elapsed = began.elapsed().as_secs_f64() * 1e3;
        failed = outcome.is_err();
        let event = frame(EventType::StepComplete, i, Some(outcome), elapsed);
        // Whether somebody listens is seen before the next step.
        let _ = news.send(News::Event(event)).await;
        if failed {
            break;
        }
    }
    Some(Summary {
        failed,
        models: facts.scored.len(),
        winner_model_type: facts.winner.as_ref().map(|winner| winner.model_type),
        winner_wape: facts.winner.as_ref().map(|winner| winner.wape),
        winning_run_id: facts.run_id,
        alias: facts.alias,
        wall_clock_s: started.elapsed().as_secs_f64(),
    })
}

async fn step(name: &'static str, facts: &mut Facts) -> Result<Outcome, Failure> {
    match name {
        "precheck" => Ok(data::precheck().await),
        "reset" => data::reset(facts).await,
        "seed" => data::seed(facts).await,
        "status" => data::status(facts).await,
        "features" => data::features(facts).await,
        "train" => models::train(facts).await,
        "backtest" => models::backtest(facts).await,
        "register" => models::register(facts).await,
        "verify" => models::verify(facts).await,
        "agent" => Ok(agent::ask(facts).await),
        _ => Ok(agent::clean_up(facts).await),
    }
}

fn frame(
    event_type: EventType,
    step: usize,
    outcome: Option<Result<Outcome, Failure>>,
    duration_ms: f64,
) -> StepEvent {
    let (status, detail, data) = match outcome {
        None => (None, String::new(), Map::new()),
        Some(Ok(done)) => (Some(done.status), done.detail, done.data),
        Some(Err(failure)) => (Some(StepStatus::Fail), failure.detail, failure.data),
    };
    StepEvent {
        event_type,
        step_name: STEPS[step],
        step_index: step + 1,
        total_steps: STEPS.len(),
        status,
        detail,
        duration_ms,
        data,
        timestamp: Timestamp(chrono::Utc::now()),
    }
}
