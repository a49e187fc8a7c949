//! Who may do what: API keys, and the scope that every operation needs. Off unless `access.require_keys` is set.
//!
//! A request passes [`guard`], which finds its [`Key`] among the [`Keys`] and compares its [`Scope`] with the one that the
//! operation needs ([`needed`]).

mod guard;
mod key;
mod keys;
mod limit;
mod scope;
mod store;

pub use guard::{Gate, guard};
pub use key::{Issued, Key, MalformedKey, Token};
pub use keys::{Keys, KeysError, NewKey};
pub use limit::{Caller, RateLimit, Trusted};
pub use scope::{Scope, needed};
