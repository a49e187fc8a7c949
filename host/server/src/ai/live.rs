//! The settings in effect.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::AiSettings;

/// Where everybody finds the settings in effect; one for all parts of the program.
#[derive(Debug, Clone)]
pub struct LiveSettings(Arc<ArcSwap<AiSettings>>);

impl LiveSettings {
    /// Begins with these.
    pub fn new(settings: AiSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// The settings as they are now, whole; later changes do not reach into them.
    pub fn current(&self) -> Arc<AiSettings> {
        self.0.load_full()
    }

    /// Puts others into effect, all at once.
    pub fn replace(&self, settings: AiSettings) {
        self.0.store(Arc::new(settings));
    }
}
