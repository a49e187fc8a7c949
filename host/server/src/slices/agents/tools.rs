//! The tools: what a model is told of them, and the services behind them.

use std::time::Instant;

use jsonschema::Validator;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::agent::AgentType;
use super::{comparison, evidence};
use crate::http::query::{Paging, Sorting};
use crate::http::{Problem, fields};
use crate::llm::ToolSpec;
use crate::slices::backtesting::{self, Backtesting};
use crate::slices::rag::{self, Filters, Knowledge, Mode, Question};
use crate::slices::registry::{self, Listing, Registry, Status};
use crate::slices::scenarios::Scenarios;

/// What tools work with.
#[derive(Debug, Clone)]
pub struct Services {
    /// Runs and aliases.
    pub registry: Registry,
    /// Backtests.
    pub backtesting: Backtesting,
    /// What-if plans.
    pub scenarios: Scenarios,
    /// The knowledge base.
    pub knowledge: Knowledge,
}

/// A tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) spec: ToolSpec,
    validator: Validator,
    /// The action, for a tool that changes something.
    pub(super) action: Option<&'static str>,
}

/// A tool that was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Executed {
    /// The tool.
    pub tool_name: String,
    /// The call.
    pub tool_call_id: String,
    /// As they were run.
    pub arguments: Map<String, Value>,
    /// What came of it.
    pub result: Value,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
}

/// Why a tool has no result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ToolFailure {
    /// Its input is at fault: the model may try again.
    Hint(String),
    /// Something else; for the log.
    Abort(String),
}

/// All tools of all agents.
#[derive(Debug)]
pub(super) struct Toolbox {
    pub(super) services: Services,
    experiment: Vec<Tool>,
    rag_assistant: Vec<Tool>,
}

impl Tool {
    fn new(name: &'static str, description: &'static str, properties: Value, required: &[&str]) -> Self {
        let parameters = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        // A test makes all of them.
        let validator = jsonschema::validator_for(&parameters).expect("the schema of a tool is one");
        Self { spec: ToolSpec { name, description, parameters }, validator, action: None }
    }

    fn doing(self, action: &'static str) -> Self {
        Self { action: Some(action), ..self }
    }

    /// The model's arguments, if they are JSON that fits.
    pub(super) fn arguments(&self, text: &str) -> Result<Map<String, Value>, String> {
        let text = if text.trim().is_empty() { "{}" } else { text };
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("the arguments of {} are no JSON: {error}", self.spec.name))?;
        let errors: Vec<String> = self
            .validator
            .iter_errors(&value)
            .map(|error| {
                let place = error.instance_path().to_string();
                if place.is_empty() { error.to_string() } else { format!("{place}: {error}") }
            })
            .collect();
        if !errors.is_empty() {
            return Err(format!("the arguments of {} do not fit: {}", self.spec.name, errors.join("; ")));
        }
        fields::storable(&value).map_err(|(_, why)| format!("the arguments of {}: {why}", self.spec.name))
    }

    /// The arguments of an action, exactly as they will be run.
    pub(super) fn complete(&self, arguments: &Map<String, Value>, session_id: &str) -> Map<String, Value> {
        let mut complete = arguments.clone();
        match self.action {
            Some("create_alias") => {
                complete.entry("description").or_insert(Value::Null);
            }
            Some("save_scenario") => {
                complete.entry("assumptions").or_insert_with(|| json!({}));
                complete.insert("source".to_owned(), "agent".into());
                complete.insert("agent_session_id".to_owned(), session_id.into());
            }
            _ => {}
        }
        complete
    }

    /// An action, for people.
    pub(super) fn describe(&self, arguments: &Map<String, Value>) -> String {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let run = text("run_id");
        match self.action {
            Some("create_alias") => format!("Point alias {} at run {run}", text("alias_name")),
            Some("archive_run") => format!("Archive run {run}"),
            _ => format!("Save scenario {} on model {run}", text("name")),
        }
    }
}

fn id() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": i32::MAX})
}

fn run_id() -> Value {
    json!({"type": "string", "description": "32 hex digits, as tool_list_runs tells"})
}

fn retrieval() -> Value {
    json!({"type": ["object", "array", "string"], "description": "The result of tool_retrieve_context"})
}

fn experiment_tools() -> Vec<Tool> {
    let statuses: Vec<Value> =
        Status::NAMES.iter().map(|(name, _)| json!(name)).chain([Value::Null]).collect();
    let optional_id = json!({"type": ["integer", "null"], "minimum": 1, "maximum": i32::MAX});
    vec![
        Tool::new(
            "tool_list_runs",
            "Lists registered training runs, the newest first.",
            json!({
                "page": {"type": "integer", "minimum": 1, "default": 1},
                "page_size": {"type": "integer", "minimum": 1, "default": 10, "description": "At most 100 are shown"},
                "model_type": {"type": ["string", "null"]}, "status": {"enum": statuses},
                "store_id": optional_id, "product_id": optional_id,
            }),
            &[],
        ),
        Tool::new("tool_get_run", "One registered run, or null.", json!({"run_id": run_id()}), &["run_id"]),
        Tool::new(
            "tool_run_backtest",
            "Cross-validates a baseline model on the sales of one store and product. Writes nothing.",
            json!({
                "store_id": id(), "product_id": id(),
                "start_date": {"type": "string", "description": "First day of the data, YYYY-MM-DD"},
                "end_date": {"type": "string", "description": "Last day of the data, YYYY-MM-DD"},
                "model_type": {"enum": ["naive", "seasonal_naive", "moving_average"], "default": "naive"},
                "n_splits": {"type": "integer", "minimum": 2, "maximum": 20, "default": 5},
                "horizon": {"type": "integer", "minimum": 1, "maximum": 90, "default": 7},
                "strategy": {"enum": ["expanding", "sliding"], "default": "expanding"},
                "min_train_size": {"type": "integer", "minimum": 7, "default": 30},
                "include_baselines": {"type": "boolean", "default": true},
            }),
            &["store_id", "product_id", "start_date", "end_date"],
        ),
        Tool::new(
            "tool_compare_backtest_results",
            "Compares the main models of two results of tool_run_backtest, metric by metric.",
            json!({"result_a": {"type": "object"}, "result_b": {"type": "object"}}),
            &["result_a", "result_b"],
        ),
        Tool::new(
            "tool_compare_runs",
            "What differs between two registered runs; null when one is missing.",
            json!({"run_id_a": run_id(), "run_id_b": run_id()}),
            &["run_id_a", "run_id_b"],
        ),
        Tool::new(
            "tool_create_alias",
            "Gives a name to a successful run, or moves the name to it. Needs the approval of a human.",
            json!({
                "alias_name": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[a-z0-9][a-z0-9\-_]*$"},
                "run_id": run_id(), "description": {"type": ["string", "null"], "maxLength": 500},
            }),
            &["alias_name", "run_id"],
        )
        .doing("create_alias"),
        Tool::new(
            "tool_archive_run",
            "Puts a run away. Needs the approval of a human.",
            json!({"run_id": run_id()}),
            &["run_id"],
        )
        .doing("archive_run"),
        Tool::new(
            "tool_propose_scenario",
            "Proposes the assumptions of a what-if scenario for an objective. Writes nothing.",
            json!({
                "store_id": id(), "product_id": id(), "horizon": {"type": "integer", "minimum": 1, "maximum": 90},
                "objective": {"type": "string"},
            }),
            &["store_id", "product_id", "horizon", "objective"],
        ),
        Tool::new(
            "tool_save_scenario",
            "Simulates a what-if scenario and keeps it as a plan. Needs the approval of a human.",
            json!({
                "name": {"type": "string", "minLength": 1, "maxLength": 200},
                "run_id": {"type": "string", "description": "Key of a model artifact, as a train job reports it"},
                "store_id": id(), "product_id": id(), "horizon": {"type": "integer", "minimum": 1, "maximum": 90},
                "assumptions": {"type": "object", "default": {}, "description": "As tool_propose_scenario gives them"},
            }),
            &["name", "run_id", "store_id", "product_id", "horizon"],
        )
        .doing("save_scenario"),
    ]
}

fn rag_tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "tool_retrieve_context",
            "Finds the chunks of the knowledge base that answer a question.",
            json!({
                "query": {"type": "string", "minLength": 1, "maxLength": 2000},
                "top_k": {"type": "integer", "minimum": 1, "default": 5, "description": "At most 50"},
                "similarity_threshold": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
                "source_type": {"type": ["string", "null"], "description": "markdown or openapi"},
            }),
            &["query"],
        ),
        Tool::new(
            "tool_format_citations",
            "Citations of retrieved chunks.",
            json!({"retrieval_result": retrieval()}),
            &["retrieval_result"],
        ),
        Tool::new(
            "tool_check_evidence",
            "Whether retrieved chunks are enough to answer with.",
            json!({
                "retrieval_result": retrieval(), "min_results": {"type": "integer", "default": 1},
                "min_relevance": {"type": "number", "default": 0.7},
            }),
            &["retrieval_result"],
        ),
        Tool::new("tool_list_sources", "All documents of the knowledge base.", json!({}), &[]),
    ]
}

impl Toolbox {
    pub(super) fn new(services: Services) -> Self {
        Self { services, experiment: experiment_tools(), rag_assistant: rag_tools() }
    }

    /// The tools of an agent.
    pub(super) fn of(&self, agent: AgentType) -> &[Tool] {
        match agent {
            AgentType::Experiment => &self.experiment,
            AgentType::RagAssistant => &self.rag_assistant,
        }
    }

    /// Runs a tool with arguments that fit its schema.
    pub(super) async fn run(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        session_id: &str,
        request_id: &str,
    ) -> Result<Value, ToolFailure> {
        if let Some(action) = tool.action {
            let arguments = tool.complete(arguments, session_id);
            let acted = self.act(action, &arguments, session_id, request_id).await;
            return acted.map_err(|failure| match failure.kind {
                "internal_error" => ToolFailure::Abort(failure.text),
                _ => ToolFailure::Hint(failure.text),
            });
        }
        let given = Given(arguments);
        match tool.spec.name {
            "tool_list_runs" => self.list_runs(given).await,
            "tool_get_run" => {
                let found = self.services.registry.run(given.text("run_id")).await.map_err(database)?;
                Ok(found.map_or(Value::Null, |run| json!(registry::RunBody::from(run))))
            }
            "tool_run_backtest" => self.run_backtest(given, request_id).await,
            "tool_compare_backtest_results" => {
                let (a, b) = (given.object("result_a"), given.object("result_b"));
                comparison::compare(&a, &b).map_err(ToolFailure::Hint)
            }
            "tool_compare_runs" => {
                let (a, b) = (given.text("run_id_a"), given.text("run_id_b"));
                match self.services.registry.compare(a, b).await {
                    Ok(found) => Ok(json!(registry::ComparisonBody::from(found))),
                    Err(registry::RegistryError::UnknownPair { .. }) => Ok(Value::Null),
                    Err(error) => Err(of_problem(&registry::problem(error))),
                }
            }
            "tool_propose_scenario" => {
                let (store_id, product_id) = (given.key("store_id"), given.key("product_id"));
                let horizon = given.int("horizon", 1) as usize;
                let scenarios = &self.services.scenarios;
                let proposed =
                    scenarios.propose(store_id, product_id, horizon, given.text("objective")).await;
                proposed
                    .map(|proposed| json!(proposed))
                    .map_err(|error| of_problem(&crate::slices::scenarios::problem(error)))
            }
            "tool_retrieve_context" => self.retrieve(given, request_id).await,
            "tool_format_citations" => {
                let chunks = evidence::chunks(given.value("retrieval_result")).map_err(ToolFailure::Hint)?;
                Ok(evidence::citations(&chunks))
            }
            "tool_check_evidence" => {
                let chunks = evidence::chunks(given.value("retrieval_result")).map_err(ToolFailure::Hint)?;
                let enough = evidence::sufficient(
                    &chunks,
                    given.int("min_results", 1),
                    given.number("min_relevance").unwrap_or(0.7),
                );
                Ok(json!(enough))
            }
            "tool_list_sources" => {
                let sources = self.services.knowledge.sources().await.map_err(database)?;
                Ok(json!(rag::SourcesAnswer::from(sources)))
            }
            other => Err(ToolFailure::Abort(format!("the tool {other} has no service"))),
        }
    }

    async fn list_runs(&self, given: Given<'_>) -> Result<Value, ToolFailure> {
        let paging = Paging { page: given.int("page", 1), page_size: given.int("page_size", 10).min(100) };
        let status = given.some_text("status");
        let listing = Listing {
            model_type: given.some_text("model_type"),
            status: status
                .and_then(|name| Status::NAMES.iter().find(|(known, _)| *known == name))
                .map(|(_, s)| *s),
            store_id: given.some_key("store_id"),
            product_id: given.some_key("product_id"),
            sorting: Sorting { by: None, descending: false },
            paging,
        };
        let page = self.services.registry.runs(&listing).await.map_err(database)?;
        Ok(json!(registry::RunPageBody::new(page, paging)))
    }

    async fn run_backtest(&self, given: Given<'_>, request_id: &str) -> Result<Value, ToolFailure> {
        let started = Instant::now();
        let model_type = given.some_text("model_type").unwrap_or("naive");
        let mut model = json!({"model_type": model_type});
        if model_type == "seasonal_naive" {
            model["season_length"] = json!(7);
        }
        let body = json!({
            "store_id": given.value("store_id"), "product_id": given.value("product_id"),
            "start_date": given.value("start_date"), "end_date": given.value("end_date"),
            "config": {
                "split_config": {
                    "strategy": given.some_text("strategy").unwrap_or("expanding"),
                    "n_splits": given.int("n_splits", 5), "min_train_size": given.int("min_train_size", 30), "gap": 0,
                    "horizon": given.int("horizon", 7),
                },
                "model_config_main": model,
                "include_baselines": given.0.get("include_baselines").and_then(Value::as_bool).unwrap_or(true),
                "store_fold_details": false,
            },
        });
        let backtesting = &self.services.backtesting;
        let body = body.as_object().cloned().unwrap_or_default();
        let order = backtesting::read(&body, backtesting.catalogue())
            .map_err(|errors| ToolFailure::Hint(words(&errors)))?;
        let run = backtesting.run(order.request.clone(), request_id).await;
        let backtest = run.map_err(|error| of_problem(&backtesting::problem(error)))?;
        Ok(json!(backtesting::BacktestResult::new(&order, backtest, started.elapsed())))
    }

    /// Looks again with less demand when nothing was near enough.
    async fn retrieve(&self, given: Given<'_>, request_id: &str) -> Result<Value, ToolFailure> {
        const SECOND_TRY: f64 = 0.5;
        let knowledge = &self.services.knowledge;
        let threshold = given.number("similarity_threshold").unwrap_or(knowledge.similarity_threshold());
        let top_k = given.int("top_k", 5).min(50) as usize;
        let source_types = given.some_text("source_type").map(|one| vec![one.to_owned()]);
        let question = Question {
            query: given.text("query").to_owned(),
            top_k,
            similarity_threshold: Some(threshold),
            filters: Filters { source_types, ..Filters::default() },
            mode: Mode::Semantic,
        };
        let failed = |error| of_problem(&rag::problem(error));
        let mut found = knowledge.retrieve(&question, request_id).await.map_err(failed)?;
        if found.results.is_empty() && threshold > SECOND_TRY {
            let again =
                Question { similarity_threshold: Some(SECOND_TRY), top_k: top_k.clamp(8, 50), ..question };
            found = knowledge.retrieve(&again, request_id).await.map_err(failed)?;
        }
        Ok(json!(rag::RetrieveAnswer::from(found)))
    }
}

/// Arguments that fit the schema.
#[derive(Clone, Copy)]
struct Given<'a>(&'a Map<String, Value>);

impl<'a> Given<'a> {
    fn value(self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    fn some_text(self, name: &str) -> Option<&'a str> {
        self.value(name).as_str()
    }

    fn text(self, name: &str) -> &'a str {
        self.some_text(name).unwrap_or_default()
    }

    fn number(self, name: &str) -> Option<f64> {
        self.value(name).as_f64()
    }

    /// JSON Schema takes 5.0 for an integer, too.
    fn int(self, name: &str, default: i64) -> i64 {
        let value = self.value(name);
        value.as_i64().or_else(|| value.as_f64().map(|float| float as i64)).unwrap_or(default)
    }

    fn some_key(self, name: &str) -> Option<i32> {
        (!self.value(name).is_null()).then(|| self.key(name))
    }

    fn key(self, name: &str) -> i32 {
        i32::try_from(self.int(name, 0)).unwrap_or_default()
    }

    fn object(self, name: &str) -> Map<String, Value> {
        self.value(name).as_object().cloned().unwrap_or_default()
    }
}

/// A refusal as the model hears it; a failure of ours as the log does.
pub(super) fn of_problem(problem: &Problem) -> ToolFailure {
    let body = problem.body("");
    let detail = body["detail"].as_str().unwrap_or_default().to_owned();
    if body["status"].as_u64().is_some_and(|status| status < 500) {
        ToolFailure::Hint(detail)
    } else {
        ToolFailure::Abort(detail)
    }
}

pub(super) fn words(errors: &[retailcast_core::config_schema::FieldError]) -> String {
    errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect::<Vec<_>>().join("; ")
}

fn database(cause: sqlx::Error) -> ToolFailure {
    ToolFailure::Abort(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_checked_against_the_schema() {
        let tools = experiment_tools();
        let tool = |name: &str| tools.iter().find(|tool| tool.spec.name == name).unwrap();
        for (name, text, word) in [
            ("tool_list_runs", "{\"page\": 1", "no JSON"),
            ("tool_list_runs", "[]", "object"),
            ("tool_list_runs", "{\"status\": \"done\"}", "/status"),
            ("tool_list_runs", "{\"color\": 1}", "color"),
            ("tool_get_run", "{}", "run_id"),
            (
                "tool_run_backtest",
                "{\"store_id\": 0, \"product_id\": 1, \"start_date\": \"\", \"end_date\": \"\"}",
                "/store_id",
            ),
            ("tool_create_alias", "{\"alias_name\": \"Prod\", \"run_id\": \"x\"}", "/alias_name"),
            ("tool_archive_run", "{\"run_id\": \"a\\u0000\"}", "NUL"),
        ] {
            let error = tool(name).arguments(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(tool("tool_list_runs").arguments("").unwrap().is_empty());
        assert_eq!(rag_tools().len(), 4);
    }
}
