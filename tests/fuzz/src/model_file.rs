//! Model files, and the states inside, which go into the plugin that is named.

use std::sync::{Arc, LazyLock};

use retailcast::artifacts::Bundle;
use retailcast_runtime::{Call, ForecastModel, open_forecast_model};
use sha2::{Digest, Sha256};

use crate::component::{ENGINE, settings};

/// A plugin with a small state, and one with a structured one.
static MODELS: LazyLock<[Arc<dyn ForecastModel>; 2]> = LazyLock::new(|| {
    ["naive", "regression"].map(|name| {
        open_forecast_model(&ENGINE, None, name, crate::bundled(name), &settings())
            // It serves in every installation.
            .expect("a bundled plugin loads")
    })
});

/// The bytes as they are, and with the checksum that fits: what the checksum keeps away is decoded, too.
pub fn model_file(bytes: &[u8]) {
    decode(bytes);
    let body = &bytes[..bytes.len().saturating_sub(Sha256::output_size())];
    decode(&[body, Sha256::digest(body).as_slice()].concat());
}

fn decode(bytes: &[u8]) {
    let Ok(bundle) = Bundle::decode(bytes) else { return };
    let written = bundle.encode().expect("what was read can be written");
    assert_eq!(Bundle::decode(&written).expect("what was written can be read"), bundle);
    for model in MODELS.iter() {
        let Ok(mut session) = model.session(&Call::default()) else { continue };
        // A stranger's state is refused, or crashes in the sandbox.
        let _ = session.load(&bundle.state);
    }
}
