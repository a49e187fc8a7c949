//! Fitted state as bytes: a header that tells a stranger's bytes, then `postcard`.
//!
//! Layout: `RCS2`, the plugin's name (a length byte and that many bytes of UTF-8), the number of the state's format (four
//! bytes, little-endian), the state.
//!
//! The header names the plugin and the format of its state, not the plugin's version: what is stored stays readable
//! when the plugin is updated. A plugin that changes what its state consists of raises
//! [`ForecastModel::STATE_FORMAT`], and old states are refused instead of misread.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ForecastModel};

const MAGIC: &[u8; 4] = b"RCS2";

/// Writes the header of the model `M` and the state.
///
/// # Panics
/// When the state cannot be serialised, which for types that derive `Serialize` without custom code cannot
/// happen; or when the name is longer than 255 bytes, which the host refuses at load.
pub fn encode<M: ForecastModel>(state: &impl Serialize) -> Vec<u8> {
    let mut bytes = header::<M>();
    bytes.extend(postcard::to_stdvec(state).expect("derived Serialize writes into memory: no error path"));
    bytes
}

/// Reads what [`encode`] wrote for the same model and state format, whatever the plugin's version was.
pub fn decode<M: ForecastModel, S: DeserializeOwned>(bytes: &[u8]) -> Result<S, Error> {
    read(M::INFO.name, strip_header::<M>(bytes)?)
}

/// The header alone, for plugins that write their state themselves.
pub fn header<M: ForecastModel>() -> Vec<u8> {
    let mut bytes = name_header(M::INFO.name);
    bytes.extend(M::STATE_FORMAT.to_le_bytes());
    bytes
}

/// What follows the header, if it is this plugin's and of this format.
pub fn strip_header<M: ForecastModel>(bytes: &[u8]) -> Result<&[u8], Error> {
    let name = M::INFO.name;
    let ((found, body), expected) = (open(name, bytes)?, M::STATE_FORMAT);
    if found == expected {
        Ok(body)
    } else {
        Err(Error::artifact_mismatch(format!(
            "this state of {name} has format {found}; version {} reads format {expected}, so the model must be trained again",
            M::INFO.version
        )))
    }
}

/// Format and body of a state that the model `name` saved: for a model that still reads an older format of its own,
/// and for an explainer, which reads the states of others.
pub fn open<'a>(name: &str, bytes: &'a [u8]) -> Result<(u32, &'a [u8]), Error> {
    let (format, body) = bytes
        .strip_prefix(name_header(name).as_slice())
        .and_then(<[u8]>::split_first_chunk)
        .ok_or_else(|| Error::artifact_mismatch(format!("these bytes are not a state of {name}")))?;
    Ok((u32::from_le_bytes(*format), body))
}

/// Reads a body that [`encode`] wrote behind the header of the model `name`, to its last byte.
pub fn read<S: DeserializeOwned>(name: &str, body: &[u8]) -> Result<S, Error> {
    let (state, rest) = postcard::take_from_bytes(body)
        .map_err(|e| Error::artifact_mismatch(format!("the state of {name} is damaged: {e}")))?;
    if rest.is_empty() {
        Ok(state)
    } else {
        Err(Error::artifact_mismatch(format!("{} bytes too many after the state of {name}", rest.len())))
    }
}

fn name_header(name: &str) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(u8::try_from(name.len()).expect("names are shorter than 256 bytes: the host takes 50"));
    bytes.extend(name.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;
    use crate::{Info, Requirements, SeriesModel, component::EachSeries};

    #[derive(Deserialize, JsonSchema)]
    struct Nothing {}

    /// A model that is nothing but a name, a version and a format.
    macro_rules! model {
        ($model:ident, $name:literal, $version:literal $(, $format:literal)?) => {
            #[derive(Serialize, Deserialize)]
            struct $model;

            impl SeriesModel for $model {
                type Config = Nothing;
                const INFO: Info =
                    Info { name: $name, version: $version, licence: "Apache-2.0", summary: "" };
                $(const STATE_FORMAT: u32 = $format;)?

                fn requirements(_: &Nothing) -> Result<Requirements, Error> {
                    Ok(Requirements::series(1))
                }
                fn fit(_: &Nothing, _: &[f64]) -> Result<Self, Error> {
                    Ok(Self)
                }
                fn forecast(&self, horizon: usize) -> Result<Vec<f64>, Error> {
                    Ok(vec![0.0; horizon])
                }
            }
        };
    }

    model!(Trend, "trend", "0.1.0");
    model!(TrendUpdated, "trend", "1.4.0");
    model!(TrendChanged, "trend", "2.0.0", 2);
    model!(Stranger, "tren", "0.1.0");

    fn read<M: SeriesModel>(bytes: &[u8]) -> Result<Vec<f64>, String> {
        decode::<EachSeries<M>, _>(bytes).map_err(|e| e.message)
    }

    #[test]
    fn a_new_version_reads_what_the_old_one_wrote() {
        let bytes = encode::<EachSeries<Trend>>(&vec![1.5, f64::NEG_INFINITY]);
        assert_eq!(read::<Trend>(&bytes), Ok(vec![1.5, f64::NEG_INFINITY]));
        assert_eq!(read::<TrendUpdated>(&bytes), Ok(vec![1.5, f64::NEG_INFINITY]));
    }

    #[test]
    fn another_format_is_refused_in_both_directions() {
        let (old, new) =
            (encode::<EachSeries<Trend>>(&vec![1.5]), encode::<EachSeries<TrendChanged>>(&vec![1.5]));
        assert_eq!(
            read::<TrendChanged>(&old).unwrap_err(),
            "this state of trend has format 1; version 2.0.0 reads format 2, so the model must be trained again"
        );
        assert!(read::<Trend>(&new).unwrap_err().contains("has format 2; version 0.1.0 reads format 1"));
    }

    #[test]
    fn strangers_and_damage_are_refused() {
        let bytes = encode::<EachSeries<Trend>>(&vec![1.5]);
        assert_eq!(read::<Stranger>(&bytes).unwrap_err(), "these bytes are not a state of tren");
        for cut in 0..bytes.len() {
            assert!(read::<Trend>(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(read::<Trend>(&[bytes, vec![0]].concat()).is_err());
    }
}
