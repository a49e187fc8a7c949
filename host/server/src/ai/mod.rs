//! Settings of language and embedding models. They change while the server runs: whoever works with them takes one
//! [`AiSettings`] from [`LiveSettings`] at the beginning and keeps it to the end, so that a request sees the old settings
//! or the new ones and never half of each.

mod live;
mod model_id;
mod settings;

pub use live::LiveSettings;
pub use model_id::{ModelId, ModelIdError, Provider};
pub use settings::{
    AgentSettings, AiSettings, EmbeddingProvider, EmbeddingSettings, MOST_DIMENSIONS, ProviderSettings,
    host_of,
};
