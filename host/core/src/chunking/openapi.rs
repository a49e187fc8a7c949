//! Chunks of an OpenAPI document: one for what it says of itself, one per operation.

use serde_json::{Map, Value, json};

use super::schema::{render, resolve};
use super::{Chunk, ChunkLimits, chunk_markdown};

/// Chunks in document order. What is neither JSON nor YAML, or no object, is cut like Markdown.
pub fn chunk_openapi(text: &str, limits: ChunkLimits) -> Vec<Chunk> {
    match parse(text) {
        Some(document) => info(&document).into_iter().chain(operations(&document)).collect(),
        None => chunk_markdown(text, limits),
    }
}

fn parse(text: &str) -> Option<Map<String, Value>> {
    let value = serde_json::from_str(text).ok().or_else(|| serde_saphyr::from_str(text).ok())?;
    match value {
        Value::Object(document) => Some(document),
        _ => None,
    }
}

fn info(document: &Map<String, Value>) -> Option<Chunk> {
    let info = document.get("info")?.as_object().filter(|info| !info.is_empty())?;
    let title = text(info, "title").unwrap_or("API");
    let mut lines = vec![format!("# {title}")];
    // A version is often written as a number in YAML.
    match info.get("version") {
        Some(Value::String(version)) if !version.is_empty() => lines.push(format!("Version: {version}")),
        Some(Value::Number(version)) => lines.push(format!("Version: {version}")),
        _ => {}
    }
    lines.extend(text(info, "description").map(|description| format!("\n{description}")));
    let servers: Vec<String> = objects(document.get("servers")).filter_map(server).collect();
    if !servers.is_empty() {
        lines.push("\n## Servers".to_owned());
        lines.extend(servers);
    }
    let metadata = json!({"type": "api_info", "title": title});
    Chunk::of(&lines.join("\n"), metadata.as_object().cloned())
}

fn server(server: &Map<String, Value>) -> Option<String> {
    let url = text(server, "url")?;
    let description = text(server, "description").map(|text| format!(" ({text})")).unwrap_or_default();
    Some(format!("- {url}{description}"))
}

fn operations(document: &Map<String, Value>) -> impl Iterator<Item = Chunk> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let of_path = |(path, item): (&'_ String, &'_ Value)| {
        let (path, item) = (path.clone(), item.as_object().cloned().unwrap_or_default());
        item.into_iter()
            .filter(|(method, operation)| operation.is_object() && !method.starts_with("x-"))
            .map(move |(method, operation)| (path.clone(), method, operation))
    };
    paths.flat_map(of_path).filter_map(|(path, method, operation)| {
        operation_chunk(document, &path, &method, operation.as_object()?)
    })
}

fn operation_chunk(
    document: &Map<String, Value>,
    path: &str,
    method: &str,
    operation: &Map<String, Value>,
) -> Option<Chunk> {
    let id = text(operation, "operationId").map_or_else(|| format!("{method}_{path}"), str::to_owned);
    let tags: Vec<&str> = items(operation.get("tags")).filter_map(Value::as_str).collect();
    let upper = method.to_uppercase();
    let blocks = [
        Some(format!("## {upper} {path}")),
        text(operation, "summary").map(|summary| format!("**{summary}**")),
        text(operation, "description").map(str::to_owned),
        (!tags.is_empty()).then(|| format!("Tags: {}", tags.join(", "))),
        parameters(document, operation),
        request_body(document, operation),
        responses(document, operation),
    ];
    let metadata =
        json!({"type": "endpoint", "path": path, "method": upper, "operation_id": id, "tags": tags});
    let content = blocks.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    Chunk::of(&content, metadata.as_object().cloned())
}

fn parameters(document: &Map<String, Value>, operation: &Map<String, Value>) -> Option<String> {
    let bullets: Vec<String> = items(operation.get("parameters"))
        .filter_map(|parameter| resolve(document, parameter)?.as_object())
        .filter_map(parameter)
        .collect();
    (!bullets.is_empty()).then(|| format!("### Parameters\n\n{}", bullets.join("\n")))
}

fn parameter(parameter: &Map<String, Value>) -> Option<String> {
    let name = text(parameter, "name")?;
    let place = text(parameter, "in").unwrap_or("query");
    let required = if parameter.get("required") == Some(&Value::Bool(true)) { " *required*" } else { "" };
    let description = text(parameter, "description").map(|text| format!(": {text}")).unwrap_or_default();
    Some(format!("- `{name}` ({place}){required}{description}"))
}

fn request_body(document: &Map<String, Value>, operation: &Map<String, Value>) -> Option<String> {
    let body = resolve(document, operation.get("requestBody")?)?;
    let content = body.get("content")?.as_object().filter(|content| !content.is_empty())?;
    let media_types = content.iter().map(|(name, media_type)| match media_type.get("schema") {
        Some(schema) => format!("{name}:\n\n```json\n{}\n```", render(document, schema)),
        None => name.clone(),
    });
    Some(format!("### Request Body\n\n{}", media_types.collect::<Vec<_>>().join("\n\n")))
}

fn responses(document: &Map<String, Value>, operation: &Map<String, Value>) -> Option<String> {
    let responses = operation.get("responses")?.as_object().filter(|responses| !responses.is_empty())?;
    let bullets = responses.iter().map(|(status, response)| {
        let response = resolve(document, response).and_then(Value::as_object);
        match response.and_then(|response| text(response, "description")) {
            Some(description) => format!("- {status}: {description}"),
            None => format!("- {status}"),
        }
    });
    Some(format!("### Responses\n\n{}", bullets.collect::<Vec<_>>().join("\n")))
}

/// A text member that is not blank.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str().filter(|text| !text.trim().is_empty())
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn objects(list: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    items(list).filter_map(Value::as_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunking::{HARD_CAP, count_tokens};

    const LIMITS: ChunkLimits = ChunkLimits { size: 512, overlap: 50, least: 100 };

    fn shop() -> Value {
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Shop", "version": "1.2", "description": "Orders of a shop."},
            "servers": [{"url": "https://a", "description": "live"}, {"url": "https://b"}],
            "paths": {
                "/orders": {
                    "parameters": [{"name": "ignored"}],
                    "summary": "text is no operation",
                    "x-internal": {"summary": "hidden"},
                    "post": {
                        "operationId": "createOrder", "summary": "Create", "description": "Creates an order.",
                        "tags": ["orders", "write"],
                        "parameters": [
                            {"name": "dry", "in": "query", "required": true, "description": "Only check"},
                            {"$ref": "#/components/parameters/Trace"},
                        ],
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                        "responses": {"201": {"description": "Made"}, "422": {}},
                    },
                    "get": {},
                },
                "/ping": {"get": {"responses": {}}},
            },
            "components": {
                "parameters": {"Trace": {"name": "trace", "in": "header"}},
                "schemas": {"Order": {"type": "object"}},
            },
        })
    }

    #[test]
    fn one_chunk_of_info_and_one_per_operation() {
        let chunks = chunk_openapi(&shop().to_string(), LIMITS);
        let metadata: Vec<String> =
            chunks.iter().map(|chunk| serde_json::to_string(&chunk.metadata).unwrap()).collect();
        assert_eq!(
            metadata,
            [
                r#"{"type":"api_info","title":"Shop"}"#,
                r#"{"type":"endpoint","path":"/orders","method":"POST","operation_id":"createOrder","tags":["orders","write"]}"#,
                r#"{"type":"endpoint","path":"/orders","method":"GET","operation_id":"get_/orders","tags":[]}"#,
                r#"{"type":"endpoint","path":"/ping","method":"GET","operation_id":"get_/ping","tags":[]}"#,
            ]
        );
        assert_eq!(
            chunks[0].content,
            "# Shop\nVersion: 1.2\n\nOrders of a shop.\n\n## Servers\n- https://a (live)\n- https://b"
        );
        assert_eq!(
            chunks[1].content,
            "## POST /orders\n\n**Create**\n\nCreates an order.\n\nTags: orders, write\n\n### Parameters\n\n\
             - `dry` (query) *required*: Only check\n- `trace` (header)\n\n### Request Body\n\napplication/json:\n\n\
             ```json\n{\n  \"type\": \"object\"\n}\n```\n\n### Responses\n\n- 201: Made\n- 422"
        );
        assert_eq!(
            (chunks[2].content.as_str(), chunks[3].content.as_str()),
            ("## GET /orders", "## GET /ping")
        );
        assert!(chunks.iter().all(|chunk| chunk.token_count == count_tokens(&chunk.content)));
    }

    #[test]
    fn the_operation_id_has_the_method_as_it_is_written() {
        let chunks = chunk_openapi(r#"{"paths": {"/a": {"GET": {}}}}"#, LIMITS);
        let metadata = chunks[0].metadata.as_ref().unwrap();
        assert_eq!(
            (metadata["operation_id"].as_str(), metadata["method"].as_str()),
            (Some("GET_/a"), Some("GET"))
        );
    }

    #[test]
    fn yaml_gives_what_json_gives() {
        let yaml = "info:\n  title: Shop\n  version: 1.2\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          description: Fine\n";
        let json = json!({"info": {"title": "Shop", "version": 1.2},
            "paths": {"/a": {"get": {"responses": {"200": {"description": "Fine"}}}}}});
        let chunks = chunk_openapi(yaml, LIMITS);
        assert_eq!(chunks, chunk_openapi(&json.to_string(), LIMITS));
        assert_eq!(chunks[1].content, "## GET /a\n\n### Responses\n\n- 200: Fine");
    }

    #[test]
    fn info_without_a_title_is_called_api_and_empty_info_is_none() {
        let chunks = chunk_openapi(r#"{"info": {"version": "1"}}"#, LIMITS);
        assert_eq!(chunks[0].content, "# API\nVersion: 1");
        assert_eq!(chunks[0].metadata.as_ref().unwrap()["title"], "API");
        for text in [r#"{"info": {}}"#, r#"{"info": null, "servers": [{"url": "https://a"}]}"#, "{}"] {
            assert_eq!(chunk_openapi(text, LIMITS), [], "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_cut_like_markdown() {
        for text in ["# Title\n\nText: [unclosed", "[1, 2]", "42", "just text", "- a\n- b", "\"text\""] {
            assert_eq!(chunk_openapi(text, LIMITS), chunk_markdown(text, LIMITS), "{text}");
            assert_eq!(chunk_openapi(text, LIMITS).len(), 1, "{text}");
        }
        assert_eq!(chunk_openapi("", LIMITS), []);
    }

    #[test]
    fn long_descriptions_are_cut_to_the_cap() {
        let long = vec!["word"; HARD_CAP + 50].join(" ");
        let document =
            json!({"info": {"description": long}, "paths": {"/a": {"get": {"description": long}}}});
        let chunks = chunk_openapi(&document.to_string(), LIMITS);
        assert_eq!(chunks.iter().map(|chunk| chunk.token_count).collect::<Vec<_>>(), [HARD_CAP, HARD_CAP]);
    }

    #[test]
    fn members_of_wrong_types_are_passed_over() {
        let document = json!({"info": {"title": 5, "version": true}, "servers": [1, {"url": 2}],
            "paths": {"/a": {"get": {"summary": [], "tags": ["x", 1], "parameters": [1, {"in": "query"}],
                "requestBody": {"content": []}, "responses": []}}, "/b": 1}});
        let chunks = chunk_openapi(&document.to_string(), LIMITS);
        assert_eq!(chunks[0].content, "# API");
        assert_eq!(chunks[1].content, "## GET /a\n\nTags: x");
        assert_eq!(chunks.len(), 2);
    }
}
