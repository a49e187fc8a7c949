use retailcast_sdk::{Error, Info, Requirements, SeriesModel};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Last(f64);

#[derive(Deserialize, retailcast_sdk::schemars::JsonSchema)]
#[schemars(crate = "retailcast_sdk::schemars")]
struct Nothing {}

impl SeriesModel for Last {
    type Config = Nothing;
    const INFO: Info = Info { name: "last", version: "0.1.0", licence: "Apache-2.0", summary: "Repeats." };

    fn requirements(_: &Nothing) -> Result<Requirements, Error> {
        Ok(Requirements::series(1))
    }
    fn fit(_: &Nothing, history: &[f64]) -> Result<Self, Error> {
        Ok(Last(history[0]))
    }
}

retailcast_sdk::export!(Last as SeriesModel);

fn main() {}
