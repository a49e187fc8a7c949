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

/// Where the stream is.
enum At {
    /// The job is to be told as it is.
    Tell(Job),
    /// Nothing more comes.
    End,
}

/// The job as it is, then as it becomes; ends with its final status.
pub(super) fn stream_of(
    app: Arc<App>,
    job: Job,
    request_id: String,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold((At::Tell(job), None::<Job>), move |(at, told)| {
        let (app, request_id) = (Arc::clone(&app), request_id.clone());
        async move {
            let At::Tell(mut job) = at else { return None };
            if let Some(told) = &told {
                loop {
                    match app.jobs.changed(told, LOOK).await {
                        Ok(now) if now == *told => {}
                        Ok(now) => break job = now,
                        Err(error) => {
                            let body = Problem::database(&error).body(&request_id);
                            let event = Event::default().event("error").json_data(body);
                            return Some((event, (At::End, None)));
                        }
                    }
                }
            }
            let event = Event::default().event("job").json_data(JobResult::from(job.clone()));
            let next = if job.is_final() { At::End } else { At::Tell(job.clone()) };
            Some((event, (next, Some(job))))
        }
    });
    // Numbers and texts only: writing them as JSON does not fail.
    let events = futures::StreamExt::map(events, |event| Ok(event.unwrap_or_default()));
    Sse::new(events).keep_alive(KeepAlive::default())
}
