//! A job's changes as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, stream};

use super::wire::JobResult;
use crate::http::{App, Problem};
use crate::jobs::Job;

/// How long nothing may happen before the job is looked at anyway.
const LOOK: Duration = Duration::from_secs(15);

/// The job as it is, then as it becomes; ends with its final status.
pub(super) fn stream_of(
    app: Arc<App>,
    job: Job,
    request_id: String,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // What is to be told next, and what was told last.
    let events = stream::unfold((Some(job), None::<Job>), move |(next, told)| {
        let (app, request_id) = (Arc::clone(&app), request_id.clone());
        async move {
            let mut job = next?;
            if let Some(told) = &told {
                job = match news(&app, told).await {
                    Ok(news) => news,
                    Err(error) => {
                        let body = Problem::database(&error).body(&request_id);
                        return Some((Event::default().event("error").json_data(body), (None, None)));
                    }
                };
            }
            let event = Event::default().event("job").json_data(JobResult::from(job.clone()));
            let next = (!job.is_final()).then(|| job.clone());
            Some((event, (next, Some(job))))
        }
    });
    // Numbers and texts only: writing them as JSON does not fail.
    let events = futures::StreamExt::map(events, |event| Ok(event.unwrap_or_default()));
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Waits until a job is no longer as it was told.
async fn news(app: &App, told: &Job) -> sqlx::Result<Job> {
    loop {
        let now = app.jobs.changed(told, LOOK).await?;
        if now != *told {
            return Ok(now);
        }
    }
}
