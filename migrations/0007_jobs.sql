-- The queue behind the jobs, and what the API's view of a job gains with it.

alter table job drop constraint ck_job_valid_type;
alter table job add constraint ck_job_valid_type check (
    job_type in ('train', 'predict', 'backtest', 'portfolio_forecast', 'portfolio_backtest')
);

alter table job
    -- Larger first; jobs of one priority by age.
    add column priority smallint not null default 0,
    -- Not finished by then: failed.
    add column deadline_at timestamptz,
    -- Set by DELETE on a running job: its worker stops at the next checkpoint.
    add column cancel_requested_at timestamptz,
    -- Tries of the task that was tried most often; more than one says that a worker was lost or a fault healed.
    add column attempts integer not null default 0,
    -- 0 to 1.
    add column progress double precision not null default 0,
    add column progress_message text,
    -- Chunks that a portfolio job was cut into, and those that are done. Counted under the lock of this row, so that
    -- exactly one worker sees the last one.
    add column chunks_total integer,
    add column chunks_done integer not null default 0,
    add constraint ck_job_progress check (progress between 0 and 1),
    add constraint ck_job_chunks_done check (chunks_done <= coalesce(chunks_total, 0));

-- Lists are ordered by age; the queue is not read from this table.
create index ix_job_created_at on job (created_at desc, job_id);

-- What is left to do. A job has one task at a time, a portfolio job first one that cuts it, then one per chunk, then one
-- that gathers them. A task that is done is deleted: the table stays as small as the backlog.
create table job_task (
    id bigint generated always as identity primary key,
    job integer not null references job (id) on delete cascade,
    step text not null,
    -- Of a chunk: its number, from 0.
    chunk integer,
    -- Of a chunk: what it covers.
    work jsonb,
    priority smallint not null,
    -- When the job was submitted: chunks of an old job come before younger jobs.
    queued_at timestamptz not null,
    -- Later than now while a task waits for its next try.
    run_after timestamptz not null default now(),
    attempts integer not null default 0,
    -- Who has it: a number that is never given twice. Whoever wants to end the task must show it, so that a worker
    -- that lost its lease (stopped, cut off) cannot end what another one has begun again.
    lease bigint,
    lease_until timestamptz,
    worker text,
    constraint ck_job_task_step check (step in ('whole', 'plan', 'chunk', 'gather')),
    constraint ck_job_task_chunk check ((step = 'chunk') = (chunk is not null)),
    constraint ck_job_task_lease check ((lease is null) = (lease_until is null))
)
-- The first page of the queue is rewritten all the time: cleaned early, it stays the first page.
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

create sequence job_lease;

-- The order of work. Leased tasks are few (one per slot of a worker) and are stepped over.
create index ix_job_task_order on job_task (priority desc, queued_at, id);
create index ix_job_task_job on job_task (job);

-- What the chunks of a portfolio job gave, until the job is deleted. The primary key is the promise that a chunk counts
-- once.
create table job_chunk (
    job integer not null references job (id) on delete cascade,
    chunk integer not null,
    -- The series of the chunk, and per series why it has no forecast.
    result jsonb not null,
    -- Forecasts: little-endian doubles, series after series.
    points bytea not null,
    primary key (job, chunk)
);
