//! The embeddings call of OpenAI's protocol, which many services speak: `POST …/embeddings` with `model`, `input` and
//! `dimensions`.

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::http::Response;

/// Longest sentence of a service that is passed on, in characters.
const LONGEST: usize = 300;

/// The body of a request.
pub fn request(model: &str, dimension: u32, texts: &[String]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        model: &'a str,
        input: &'a [String],
        dimensions: u32,
    }
    let body = Body { model, input: texts, dimensions: dimension };
    serde_json::to_vec(&body).expect("texts and numbers are always JSON")
}

/// The vectors of an answer with status 200, in the order of the texts, whatever the order of the answer.
pub fn vectors(body: &[u8], texts: usize, dimension: u32) -> Result<Vec<f32>, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        data: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        index: Option<usize>,
        embedding: Vec<f32>,
    }
    let Answer { data } = serde_json::from_slice(body)
        .map_err(|e| Failure::upstream(format!("the answer is not what the protocol has: {e}")))?;
    if data.len() != texts {
        return Err(Failure::upstream(format!("{texts} vectors were asked for, {} came", data.len())));
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
    for (position, item) in data.into_iter().enumerate() {
        let index = item.index.unwrap_or(position);
        if item.embedding.len() != dimension as usize {
            return Err(Failure::upstream(format!(
                "a vector has {} numbers, `rag.embedding_dimension` is {dimension}",
                item.embedding.len()
            )));
        }
        match vectors.get_mut(index) {
            Some(place @ None) => *place = Some(item.embedding),
            Some(Some(_)) => return Err(Failure::upstream(format!("two vectors have the index {index}"))),
            None => return Err(Failure::upstream(format!("a vector has the index {index} of {texts}"))),
        }
    }
    // As many as places, and no place twice: all are filled.
    Ok(vectors.into_iter().flatten().flatten().collect())
}

/// What a service says in an answer that is no success: its message, or the beginning of the text.
pub fn reason(response: &Response) -> String {
    #[derive(Deserialize)]
    struct Said {
        error: ErrorOf,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum ErrorOf {
        Text(String),
        Object { message: String },
    }
    let said = match serde_json::from_slice::<Said>(&response.body) {
        Ok(Said { error: ErrorOf::Text(message) | ErrorOf::Object { message } }) => message,
        Err(_) => String::from_utf8_lossy(&response.body).into_owned(),
    };
    let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    let status = response.status;
    if said.is_empty() { format!("status {status}") } else { format!("status {status}: {said}") }
}

/// The pause that a service asks for (`Retry-After` in seconds), in milliseconds.
pub fn pause(response: &Response) -> Option<u64> {
    let seconds: f64 = response.header("retry-after")?.trim().parse().ok()?;
    (0.0..=86_400.0).contains(&seconds).then_some((seconds * 1e3) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_three_members() {
        let body = request("m", 3, &["a\"b".to_owned(), String::new()]);
        assert_eq!(String::from_utf8(body).unwrap(), r#"{"model":"m","input":["a\"b",""],"dimensions":3}"#);
    }

    #[test]
    fn vectors_are_put_in_order() {
        let body =
            br#"{"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1.5, 2]}], "x": 1}"#;
        assert_eq!(vectors(body, 2, 2).unwrap(), [1.5, 2.0, 3.0, 4.0]);
        let body = br#"{"data": [{"embedding": [1]}, {"embedding": [2]}]}"#;
        assert_eq!(vectors(body, 2, 1).unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn half_an_answer_is_none() {
        for (body, words) in [
            (r#"{"data": [{"index": 0, "embedding": [1, 2]}]}"#, "2 vectors were asked for, 1 came"),
            (r#"{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}]}"#, "1 numbers"),
            (
                r#"{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 0, "embedding": [1, 2]}]}"#,
                "two vectors",
            ),
            (
                r#"{"data": [{"index": 0, "embedding": [1, 2]}, {"index": 2, "embedding": [1, 2]}]}"#,
                "index 2 of 2",
            ),
            (r#"{"data": [{"index": 0, "embedding": [1, 2]}, {"ind"#, "EOF"),
            (r#"{"data": [{"index": 0, "embedding": [1, null]}]}"#, "null"),
            ("", "EOF"),
        ] {
            let error = vectors(body.as_bytes(), 2, 2).unwrap_err().error.to_string();
            assert!(error.contains(words), "{body}: {error}");
        }
    }

    #[test]
    fn reasons_are_short() {
        let reason = |body: &str| reason(&Response { status: 400, headers: vec![], body: body.into() });
        assert_eq!(
            reason(r#"{"error": {"message": "no such\n model", "type": "x"}}"#),
            "status 400: no such model"
        );
        assert_eq!(reason(r#"{"error": "model not found"}"#), "status 400: model not found");
        assert_eq!(reason("<html>"), "status 400: <html>");
        assert_eq!(reason(""), "status 400");
        assert_eq!(reason(&"x".repeat(999)).len(), "status 400: ".len() + LONGEST);
    }

    #[test]
    fn pauses_are_seconds() {
        let with = |value: &str| {
            let headers = vec![("retry-after".to_owned(), value.to_owned())];
            pause(&Response { status: 429, headers, body: vec![] })
        };
        assert_eq!((with("2"), with("0.5"), with("0")), (Some(2000), Some(500), Some(0)));
        assert_eq!((with("Wed, 21 Oct 2015 07:28:00 GMT"), with("-1"), with("nan")), (None, None, None));
    }
}
