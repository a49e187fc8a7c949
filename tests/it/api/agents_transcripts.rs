//! Golden transcripts of conversations with agents, in both dialects of models: `tests/it/transcripts`. Read them as
//! what `agents.md` promises; a difference is a change of the wire.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::registry::{new_run, patch};
use crate::support::conversation::{CANARY, Conversation};
use crate::support::model::{Dialect, Step};
use crate::support::socket::kinds;

const DIALECTS: [(Dialect, &str); 2] = [(Dialect::OpenAi, "openai"), (Dialect::Ollama, "ollama")];

fn golden(name: &str, conversation: &Conversation) {
    let settings = || {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../transcripts");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings
    };
    settings().bind(|| insta::assert_snapshot!(name.to_owned(), conversation.written()));
}

fn summary(text: &str) -> Step {
    Step::say(&json!({"summary": text}))
}

#[tokio::test]
async fn a_tool_and_an_answer() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        talk.then([
            Step::SayAndCall("Let me look.", "tool_list_runs", json!({"page_size": 5}).to_string()),
            Step::say(&json!({"run_id": null, "summary": "There are \"no\" runs – yet.", "metrics": {}})),
            summary("Still none."),
        ]);
        talk.open("experiment").await;
        talk.say("Which runs are there?").await;
        talk.say("And now?").await;
        talk.rest(Method::GET, "", None).await;
        talk.rest(Method::DELETE, "", None).await;
        talk.say("Hello?").await;
        golden(&format!("{name}_tool"), &talk);
    }
}

#[tokio::test]
async fn the_same_over_rest() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        talk.then([
            Step::call("c1", "tool_list_runs", &json!({"status": "success"})),
            summary("There are no runs."),
        ]);
        talk.open("experiment").await;
        talk.rest(Method::POST, "/chat", Some(json!({"message": "Which runs are there?"}))).await;
        talk.rest(Method::GET, "", None).await;
        golden(&format!("{name}_rest"), &talk);
    }
}

#[tokio::test]
async fn an_action_is_approved_and_another_one_rejected() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        let run_id = new_run(&talk.app).await;
        for status in ["running", "success"] {
            patch(&talk.app, &run_id, json!({"status": status})).await;
        }
        talk.then([
            Step::call("c1", "tool_create_alias", &json!({"alias_name": "production", "run_id": run_id})),
            summary("It waits for you."),
        ]);
        talk.open("experiment").await;
        talk.say("Deploy it").await;
        let waiting = talk.say("Is it done?").await;
        assert_eq!(kinds(&waiting), ["approval_required", "complete"]);
        let action = waiting[0]["data"]["action"]["action_id"].clone();
        let approval = json!({"action_id": action, "approved": true});
        talk.rest(Method::POST, "/approve", Some(approval.clone())).await;
        talk.rest(Method::POST, "/approve", Some(approval)).await;
        talk.then([
            Step::call("c2", "tool_archive_run", &json!({"run_id": run_id})),
            summary("That waits, too."),
        ]);
        let frames = talk.say("Now archive it").await;
        let action = frames.iter().find_map(|frame| frame["data"]["action"]["action_id"].as_str()).unwrap();
        let rejection = json!({"action_id": action, "approved": false, "reason": "it is in use"});
        talk.rest(Method::POST, "/approve", Some(rejection)).await;
        talk.then([summary("Then it stays.")]);
        talk.say("What became of it?").await;
        golden(&format!("{name}_approval"), &talk);
    }
}

#[tokio::test]
async fn an_answer_from_the_knowledge_base_with_its_citation() {
    let mut talk = Conversation::with(|config| {
        config.agents.default_model = "openai:scripted".parse().unwrap();
        config.agents.fallback_model = None;
        config.rag.embedding_provider = retailcast::ai::EmbeddingProvider::Local;
        config.rag.embedding_dimension = 384;
    })
    .await;
    let document = json!({"source_type": "markdown", "source_path": "handbook/returns.md",
                          "content": "# Returns\n\nGoods can be returned for 30 days.\n"});
    assert_eq!(talk.app.post("/rag/index", document).await.status.as_u16(), 201);
    talk.then([
        Step::call("c1", "tool_retrieve_context", &json!({"query": "return period", "similarity_threshold": 0.0})),
        Step::call(
            "c2",
            "tool_format_citations",
            &json!({"retrieval_result": {"results": [{"source_type": "markdown",
                "source_path": "handbook/returns.md", "chunk_id": "x", "content": "Goods can be returned for 30 days."}]}}),
        ),
        Step::call("c3", "tool_list_sources", &json!({})),
        Step::say(&json!({"confidence": "high", "sources": [{"source_path": "handbook/returns.md"}],
                          "answer": "30 days [handbook/returns.md:x]. Confidence: high."})),
    ]);
    talk.open("rag_assistant").await;
    talk.say("How long can goods be returned?").await;
    golden("openai_knowledge", &talk);
}

#[tokio::test]
async fn a_stream_that_breaks_off() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        let text = json!({"summary": "A text that breaks off."}).to_string();
        talk.then([Step::Cut(text.clone(), 0), Step::Cut(text, 5), summary("Now whole.")]);
        talk.open("experiment").await;
        talk.say("Before anything was said").await;
        talk.say("After something was said").await;
        talk.say("Again").await;
        golden(&format!("{name}_cut_stream"), &talk);
    }
}

#[tokio::test]
async fn arguments_that_are_no_json() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        talk.then([
            Step::Call(vec![("c1", "tool_list_runs", "{\"page\": 1".to_owned())]),
            Step::Call(vec![("c2", "tool_list_runs", "{\"page\": \"one\"}".to_owned())]),
            Step::call("c3", "tool_list_runs", &json!({"page": 1})),
            summary("There are no runs."),
        ]);
        talk.open("experiment").await;
        talk.say("Which runs are there?").await;
        golden(&format!("{name}_malformed_arguments"), &talk);
    }
}

#[tokio::test]
async fn a_tool_that_there_is_not() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        let call = || Step::call("c1", "tool_fly", &json!({}));
        talk.then([call(), summary("I cannot fly."), call(), call(), call(), call()]);
        talk.open("experiment").await;
        talk.say("Fly").await;
        // Told three times, then given up; nothing of that turn is kept.
        talk.say("Fly all the same").await;
        talk.rest(Method::GET, "", None).await;
        golden(&format!("{name}_unknown_tool"), &talk);
    }
}

#[tokio::test]
async fn a_refusal() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        let refusal = || Step::Refuse("I will not.");
        talk.then([refusal(), summary("On reflection: no."), refusal(), refusal(), refusal(), refusal()]);
        talk.open("experiment").await;
        talk.say("Do it").await;
        talk.rest(Method::POST, "/chat", Some(json!({"message": "Do it all the same"}))).await;
        golden(&format!("{name}_refusal"), &talk);
    }
}

#[tokio::test]
async fn a_quota_that_is_used_up() {
    for (dialect, name) in DIALECTS {
        let mut talk = Conversation::new(dialect).await;
        let words = "quota of sk-canary-0123456789 used up";
        assert!(words.contains(CANARY));
        talk.then([Step::Fail(429, words), Step::Fail(429, words), summary("Refilled.")]);
        talk.open("experiment").await;
        talk.say("?").await;
        talk.rest(Method::POST, "/chat", Some(json!({"message": "?"}))).await;
        talk.say("?").await;
        golden(&format!("{name}_429"), &talk);
    }
}

#[tokio::test]
async fn slow_words() {
    for (_, name) in DIALECTS {
        let mut talk = Conversation::with(|config| {
            config.agents.default_model = format!("{name}:scripted").parse().unwrap();
            config.agents.fallback_model = None;
            config.agents.timeout_seconds = 1;
        })
        .await;
        talk.then([
            Step::Say(json!({"summary": "Slow."}).to_string(), Duration::from_millis(20)),
            // The first piece holds nothing for the reader, and the second one comes too late.
            Step::Say(json!({"summary": "Too slow."}).to_string(), Duration::from_millis(700)),
        ]);
        talk.open("experiment").await;
        talk.say("?").await;
        talk.say("?").await;
        golden(&format!("{name}_slow"), &talk);
    }
}

#[tokio::test]
async fn a_second_model_of_another_provider_answers_without_the_first_one_s_key() {
    let mut talk = Conversation::with(|config| {
        config.agents.default_model = "openai:first".parse().unwrap();
        config.agents.fallback_model = Some("ollama:second".parse().unwrap());
    })
    .await;
    talk.then([
        Step::Fail(503, "overloaded"),
        Step::call("c1", "tool_list_runs", &json!({})),
        Step::Garbage,
        summary("There are no runs."),
        Step::Fail(401, "bad key sk-canary-0123456789"),
        Step::Fail(404, "no such model"),
    ]);
    talk.open("experiment").await;
    talk.say("Which runs are there?").await;
    talk.say("And now?").await;
    golden("openai_then_ollama", &talk);
}

#[tokio::test]
async fn frames_that_do_not_fit_and_sessions_that_are_over() {
    let mut talk = Conversation::new(Dialect::OpenAi).await;
    for frame in [json!([]), json!({}), json!({"session_id": "s"}), json!({"session_id": "s", "message": ""})]
    {
        let frames = talk.send(&frame).await;
        assert_eq!((kinds(&frames), &frames[0]["data"]["recoverable"]), (vec!["error"], &json!(true)));
    }
    talk.send(&json!({"session_id": "0".repeat(32), "message": "?"})).await;
    talk.open("experiment").await;
    sqlx::query("update agent_session set expires_at = now() - interval '1 second'")
        .execute(&talk.app.pool)
        .await
        .unwrap();
    talk.say("?").await;
    talk.rest(Method::POST, "/chat", Some(json!({"message": "?"}))).await;
    talk.rest(Method::POST, "/approve", Some(json!({"action_id": "x", "approved": true}))).await;
    talk.rest(Method::DELETE, "", None).await;
    talk.say("?").await;
    talk.rest(Method::POST, "/chat", Some(json!({"message": "?"}))).await;
    golden("sessions_that_are_over", &talk);
}

#[tokio::test]
async fn a_turn_without_words_in_between() {
    let mut talk = Conversation::with(|config| {
        config.agents.default_model = "openai:scripted".parse().unwrap();
        config.agents.fallback_model = None;
        config.agents.enable_streaming = false;
        config.agents.max_tool_calls = 2;
    })
    .await;
    let call = || Step::call("c1", "tool_list_runs", &json!({}));
    talk.then([call(), call(), summary("Twice is allowed."), call(), call(), call()]);
    talk.open("experiment").await;
    talk.say("Look twice").await;
    // The third one ends the turn.
    talk.say("Look thrice").await;
    talk.rest(Method::GET, "", None).await;
    golden("tool_call_cap", &talk);
}
