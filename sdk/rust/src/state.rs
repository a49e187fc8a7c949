//! Fitted state as bytes: a header that tells a stranger's bytes, then `postcard`.
//!
//! Layout: `RCS1`, the plugin's name and version (each a length byte and that many bytes of UTF-8), the state.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Info};

const MAGIC: &[u8; 4] = b"RCS1";

/// Writes the header and the state.
///
/// # Panics
/// When the state cannot be serialised, which for types that derive `Serialize` without custom code cannot
/// happen; or when name or version are longer than 255 bytes, which the host refuses at load.
pub fn encode<S: Serialize>(info: &Info, state: &S) -> Vec<u8> {
    let mut bytes = header(info);
    bytes.extend(postcard::to_stdvec(state).expect("derived Serialize writes into memory: no error path"));
    bytes
}

/// Reads what [`encode`] of the same plugin and version wrote.
pub fn decode<S: DeserializeOwned>(info: &Info, bytes: &[u8]) -> Result<S, Error> {
    let body = strip_header(info, bytes)?;
    let (state, rest) = postcard::take_from_bytes(body)
        .map_err(|e| Error::artifact_mismatch(format!("the state of {} is damaged: {e}", info.name)))?;
    if rest.is_empty() {
        Ok(state)
    } else {
        Err(Error::artifact_mismatch(format!("{} bytes too many after the state of {}", rest.len(), info.name)))
    }
}

/// The header alone, for plugins that write their state themselves.
pub fn header(info: &Info) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for text in [info.name, info.version] {
        bytes.push(u8::try_from(text.len()).expect("names and versions are shorter than 256 bytes"));
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// What follows the header, if it is this plugin's.
pub fn strip_header<'a>(info: &Info, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
    bytes.strip_prefix(header(info).as_slice()).ok_or_else(|| {
        Error::artifact_mismatch(format!("these bytes are not a state of {} {}", info.name, info.version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: Info = Info { name: "a", version: "0.1.0", licence: "Apache-2.0", summary: "" };

    #[test]
    fn reads_back_what_it_wrote() {
        let bytes = encode(&INFO, &vec![1.5, f64::NEG_INFINITY]);
        assert_eq!(decode::<Vec<f64>>(&INFO, &bytes), Ok(vec![1.5, f64::NEG_INFINITY]));
    }

    #[test]
    fn refuses_strangers_and_damage() {
        let bytes = encode(&INFO, &vec![1.5]);
        let other = Info { version: "0.2.0", ..INFO };
        assert!(decode::<Vec<f64>>(&other, &bytes).is_err());
        for cut in 0..bytes.len() {
            assert!(decode::<Vec<f64>>(&INFO, &bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(decode::<Vec<f64>>(&INFO, &[bytes, vec![0]].concat()).is_err());
    }
}
