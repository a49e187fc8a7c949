//! Two agents behind a session API: a language model that works with tools, and a human who decides what is changed.
//! Contract: `agents.md`.
//!
//! [`service`] keeps sessions and runs turns; a turn ([`turn`]) is the conversation between the model and the tools
//! ([`tools`]) until the model has answered. What changes something waits as a [`session::PendingAction`] until a human
//! has approved it; [`actions`] is the only place that does it.

mod actions;
mod agent;
mod comparison;
mod error;
mod events;
mod evidence;
mod output;
mod reply_stream;
mod routes;
mod service;
mod session;
mod store;
mod stream;
mod tools;
mod turn;
mod wire;

pub use agent::AgentType;
pub use error::AgentError;
pub use events::Event;
pub use routes::routes;
pub use service::{Agents, Answer, Decided};
pub use session::{PendingAction, Session, SessionStatus};
pub use tools::Services;
