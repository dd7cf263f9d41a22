-- The ledger: what Syncline believes, and why.
--
-- Instants are whole microseconds since 1970-01-01 UTC. Sides are 0 (left) and 1 (right).
-- The id of a journal entry, an intent or a batch is its commit number * 1048576 + its ordinal
-- within that commit, so that one number orders them all. Columns of type bytea hold the
-- engine's own encoding, whose first byte is its version. Keys compare byte by byte (collation
-- C): what they mean is their side's business, and it is the fastest.

create schema if not exists syncline;
comment on schema syncline is 'What Syncline believes, and why. Written by Syncline alone.';

-- Who commits --------------------------------------------------------------------------------

create table syncline.lease (
    one boolean primary key default true check (one),
    owner text not null,
    epoch int8 not null,
    until int8 not null
) with (fillfactor = 20);
comment on table syncline.lease is
    'The one process that plans and sends. Every commit checks the epoch under a shared lock.';
comment on column syncline.lease.one is 'There is one row.';
comment on column syncline.lease.owner is 'The name of the process.';
comment on column syncline.lease.epoch is
    'Raised by every takeover: a commit under an older one is refused.';
comment on column syncline.lease.until is 'From when on another process may take over.';

create table syncline.counter (
    one boolean primary key default true check (one),
    last_commit int8 not null
) with (fillfactor = 20);
comment on table syncline.counter is 'Numbers that are given once.';
comment on column syncline.counter.one is 'There is one row.';
comment on column syncline.counter.last_commit is 'The highest commit number that was reserved.';
insert into syncline.counter (last_commit) values (0);

create table syncline.commit (
    commit int8 primary key,
    happened boolean not null,
    decided_at timestamptz not null default now()
);
comment on table syncline.commit is
    'Commits that are decided. Whoever asks for a commit whose reply was lost inserts its number '
    'first; the unique key lets either the commit or the question win, for good.';
comment on column syncline.commit.commit is 'The commit number.';
comment on column syncline.commit.happened is
    'False when the question won: the commit can never happen.';
comment on column syncline.commit.decided_at is
    'When, by the clock of this server. Old numbers are forgotten.';

-- Links --------------------------------------------------------------------------------------

create table syncline.link (
    mapping int4 not null,
    link uuid not null,
    shard int2 not null,
    state int2 not null,
    epoch int8 not null,
    sync_version int8 not null,
    left_open int8,
    right_open int8,
    last_entry int8,
    left_key text collate "C",
    right_key text collate "C",
    body bytea not null,
    primary key (mapping, link),
    -- Checked at the end of a statement, so that two links may swap a key in one.
    constraint link_left_key unique (mapping, left_key) deferrable initially immediate,
    constraint link_right_key unique (mapping, right_key) deferrable initially immediate
) with (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);
-- Rewritten whole at every change: compressing it would cost more than it saves.
alter table syncline.link alter column body set storage external;
comment on table syncline.link is
    'The belief that one left and one right record are the same thing. No index but those of its '
    'names: every update that sets no key stays in its page (HOT).';
comment on column syncline.link.mapping is 'Its mapping.';
comment on column syncline.link.link is
    'Its id, for life; the external id of records that have such a field.';
comment on column syncline.link.shard is 'The unit of ownership it belongs to.';
comment on column syncline.link.state is
    'Where it stands: 1 seen left, 2 seen right, 3 creating left, 4 creating right, 5 linked, 6 '
    'tombstone, 7 held, 8 ended, 9 merged; deleting left 10 fence, 11 delete, 12 look, 13 '
    'undelete; deleting right 20 to 23 likewise.';
comment on column syncline.link.epoch is 'The owner epoch of the last commit that changed it.';
comment on column syncline.link.sync_version is 'How often its base moved.';
comment on column syncline.link.left_open is 'The intent under way on the left; null at rest.';
comment on column syncline.link.right_open is 'The intent under way on the right; null at rest.';
comment on column syncline.link.last_entry is 'Its newest journal entry.';
comment on column syncline.link.left_key is 'The native id of the left record.';
comment on column syncline.link.right_key is 'The native id of the right record.';
comment on column syncline.link.body is
    'The last agreed image of each side as it stores it, what each showed last and is not agreed, '
    'how new that is, units that are held or waiting, where the base comes from. One column: '
    'statements over many rows cost by the column.';

create table syncline.alias (
    mapping int4 not null,
    side int2 not null,
    key text collate "C" not null,
    link uuid not null,
    reason text not null,
    primary key (mapping, side, key)
);
comment on table syncline.alias is 'Old names of records: merged, re-keyed or re-created ones.';
comment on column syncline.alias.mapping is 'The mapping.';
comment on column syncline.alias.side is 'The side.';
comment on column syncline.alias.key is 'The old native id.';
comment on column syncline.alias.link is 'The link it belongs to now.';
comment on column syncline.alias.reason is 'merged, re-keyed or re-created.';

create table syncline.claim (
    mapping int4 not null,
    key text collate "C" not null,
    link uuid not null,
    primary key (mapping, key)
);
comment on table syncline.claim is
    'Business keys that belong to a link: two links that would create the same record collide '
    'here.';
comment on column syncline.claim.mapping is 'The mapping.';
comment on column syncline.claim.key is
    'The normalised business key, with the number of its match rule.';
comment on column syncline.claim.link is 'The link.';

-- What comes in ------------------------------------------------------------------------------

create sequence syncline.hint_seq;

create table syncline.hint (
    system text collate "C" not null,
    entity text collate "C" not null,
    key text collate "C" not null,
    seq int8 not null default nextval('syncline.hint_seq'),
    due int8 not null,
    reason int2 not null,
    tries int2 not null,
    primary key (system, entity, key)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter sequence syncline.hint_seq owned by syncline.hint.seq;
create index hint_due on syncline.hint (system, due);
comment on table syncline.hint is
    'Notices that a record may have changed. Their content is not trusted: the record is read '
    'again.';
comment on column syncline.hint.system is 'The system.';
comment on column syncline.hint.entity is 'The entity.';
comment on column syncline.hint.key is 'The record.';
comment on column syncline.hint.seq is
    'Adding a hint again takes a new number; it is deleted only with the number it was taken '
    'with.';
comment on column syncline.hint.due is 'Not to be taken before.';
comment on column syncline.hint.reason is
    '0 changed, 1 busy, 2 open tick, 3 parent, 4 claimed, 5 again, 6 person, 7 sweep, 8 look, '
    '9 deleted.';
comment on column syncline.hint.tries is 'How often it was put off in a row.';

create table syncline.position (
    stream text collate "C" primary key,
    identity text not null,
    place text not null,
    moved_at int8 not null
) with (fillfactor = 20);
comment on table syncline.position is 'How far each stream is folded.';
comment on column syncline.position.stream is
    'The stream: feed:ops, poll:crm:Account, load:accounts:left.';
comment on column syncline.position.identity is
    'What the stream is: system id, timeline, slot, organisation. A place in another stream is of '
    'no use.';
comment on column syncline.position.place is 'The place.';
comment on column syncline.position.moved_at is 'When it moved last.';

create table syncline.gap (
    stream text collate "C" not null,
    noticed_at int8 not null,
    reason text not null,
    closed_at int8,
    primary key (stream, noticed_at)
);
comment on table syncline.gap is 'Stretches of a stream that were lost.';
comment on column syncline.gap.stream is 'The stream.';
comment on column syncline.gap.noticed_at is 'When it was noticed.';
comment on column syncline.gap.reason is 'Why.';
comment on column syncline.gap.closed_at is
    'When both sides had been scanned again; null while that is not done.';

-- What was decided and sent ------------------------------------------------------------------

-- Appended to only. When old parts are to be dropped this table becomes the first partition of
-- a partitioned one, by ranges of id.
create table syncline.journal (
    id int8 primary key,
    at int8 not null,
    previous int8,
    mapping int4 not null,
    link uuid not null,
    body bytea not null
) with (autovacuum_vacuum_insert_scale_factor = 0.5);
alter table syncline.journal alter column body set storage external;
comment on table syncline.journal is
    'Append-only: what was observed, decided, sent and settled. The audit and the log of intents '
    'in one.';
comment on column syncline.journal.id is
    'Commit number * 1048576 + ordinal; the id of the intent it carries.';
comment on column syncline.journal.at is 'When it was committed, by the engine''s clock.';
comment on column syncline.journal.previous is 'The link''s entry before this one.';
comment on column syncline.journal.mapping is 'The mapping.';
comment on column syncline.journal.link is 'The link.';
comment on column syncline.journal.body is 'Observations, decisions, the intent, settlements.';

create table syncline.batch (
    id int8 primary key,
    system text not null,
    intents bytea not null,
    epoch int8 not null,
    state int2 not null check (state in (0, 1)),
    first_sent int8 not null,
    last_sent int8 not null,
    die_after int8 not null,
    attempts int4 not null,
    together boolean not null
);
create index batch_open on syncline.batch (id) where state = 0;
comment on table syncline.batch is 'Intents sent in one call or one target transaction.';
comment on column syncline.batch.id is 'Commit number * 1048576 + ordinal.';
comment on column syncline.batch.system is 'The system written.';
comment on column syncline.batch.intents is
    'The intents it carries; their place is the ordinal of the receipt.';
comment on column syncline.batch.epoch is 'The owner epoch that recorded the last send.';
comment on column syncline.batch.state is '0 sent, 1 settled.';
comment on column syncline.batch.first_sent is 'When it was first recorded as sent.';
comment on column syncline.batch.last_sent is 'When it was last recorded as sent.';
comment on column syncline.batch.die_after is 'Until when a copy may still be applied.';
comment on column syncline.batch.attempts is
    'How many sends are recorded; raised before each send.';
comment on column syncline.batch.together is 'Whether its writes are one transaction.';

-- What people and machines must mend ---------------------------------------------------------

create table syncline.review (
    id int8 generated always as identity unique,
    mapping int4 not null,
    link uuid not null,
    unit int4 not null,
    sync_version int8 not null,
    revision int4 not null,
    status int2 not null,
    kind bytea not null,
    left_shown bytea not null,
    right_shown bytea not null,
    entry int8,
    asked_at int8 not null,
    answered_at int8,
    answer bytea,
    primary key (mapping, link, unit, sync_version)
);
create index review_waiting on syncline.review (status, answered_at, id) where status <> 2;
comment on table syncline.review is
    'Everything that a person must choose: one row a link, unit and base.';
comment on column syncline.review.id is 'Its short number.';
comment on column syncline.review.mapping is 'The mapping.';
comment on column syncline.review.link is 'The link.';
comment on column syncline.review.unit is
    'The unit by index; -1 for a question about the whole pair.';
comment on column syncline.review.sync_version is 'The base it stands on.';
comment on column syncline.review.revision is
    'Raised whenever what it shows moves. An answer names the revision it was given to.';
comment on column syncline.review.status is '0 open, 1 answered, 2 closed.';
comment on column syncline.review.kind is 'What is asked.';
comment on column syncline.review.left_shown is 'What the left shows.';
comment on column syncline.review.right_shown is 'What the right shows.';
comment on column syncline.review.entry is 'The journal entry that asked.';
comment on column syncline.review.asked_at is 'When it was first asked.';
comment on column syncline.review.answered_at is 'When it was answered.';
comment on column syncline.review.answer is 'What was answered, and by whom.';

create table syncline.parked (
    mapping int4 not null,
    link uuid not null,
    side int2 not null,
    kind text not null,
    message text not null,
    advice text not null,
    entry int8,
    at int8 not null,
    primary key (mapping, link)
);
comment on table syncline.parked is
    'Records set aside because a machine or its set-up must be mended.';
comment on column syncline.parked.mapping is 'The mapping.';
comment on column syncline.parked.link is 'The link.';
comment on column syncline.parked.side is 'The side that refused.';
comment on column syncline.parked.kind is 'The kind of error.';
comment on column syncline.parked.message is 'The message of the side.';
comment on column syncline.parked.advice is 'What to do about it.';
comment on column syncline.parked.entry is 'The journal entry that tells what was tried.';
comment on column syncline.parked.at is 'When.';

create table syncline.figure (
    name text collate "C" primary key,
    value int8 not null
) with (fillfactor = 20);
comment on table syncline.figure is 'Running figures; they go on after a crash.';
comment on column syncline.figure.name is 'Its name.';
comment on column syncline.figure.value is 'Its value.';

-- What is set up -----------------------------------------------------------------------------

create table syncline.install (
    one boolean primary key default true check (one),
    id text not null,
    made_at timestamptz not null default now()
);
comment on table syncline.install is 'This installation.';
comment on column syncline.install.one is 'There is one row.';
comment on column syncline.install.id is
    'Its id, part of every marker, so that two installations never take each other''s writes for '
    'their own.';
comment on column syncline.install.made_at is 'When it was made.';

create table syncline.mapping (
    id int4 generated always as identity primary key,
    name text not null unique,
    revision int4 not null
);
comment on table syncline.mapping is 'Mappings and their numbers. A number is never given twice.';
comment on column syncline.mapping.id is 'Its number.';
comment on column syncline.mapping.name is 'Its name.';
comment on column syncline.mapping.revision is 'The newest revision of its rules.';

create table syncline.mapping_revision (
    mapping int4 not null references syncline.mapping (id),
    revision int4 not null,
    source text not null,
    made_at int8 not null,
    primary key (mapping, revision)
);
comment on table syncline.mapping_revision is 'The rules that a mapping has had.';
comment on column syncline.mapping_revision.mapping is 'The mapping.';
comment on column syncline.mapping_revision.revision is
    'The number of these rules within the mapping.';
comment on column syncline.mapping_revision.source is 'The text of the mapping.';
comment on column syncline.mapping_revision.made_at is 'When they were first used.';

create table syncline.schema_snapshot (
    system text not null,
    entity text not null,
    fingerprint text not null,
    taken_at int8 not null,
    primary key (system, entity)
);
comment on table syncline.schema_snapshot is
    'What was last seen of the schemas that mappings rest on.';
comment on column syncline.schema_snapshot.system is 'The system.';
comment on column syncline.schema_snapshot.entity is 'The entity.';
comment on column syncline.schema_snapshot.fingerprint is
    'A text that changes whenever a change of the schema matters.';
comment on column syncline.schema_snapshot.taken_at is 'When.';

create table syncline.token (
    system text not null,
    name text not null,
    sealed bytea not null,
    kept_at timestamptz not null default now(),
    primary key (system, name)
);
comment on table syncline.token is
    'Secrets that systems gave us, sealed with a key that is not in this database.';
comment on column syncline.token.system is 'The system.';
comment on column syncline.token.name is 'What it is: refresh_token.';
comment on column syncline.token.sealed is
    'Version 1: that byte, a nonce of 24 bytes, XChaCha20-Poly1305 of the secret, bound to system '
    'and name.';
comment on column syncline.token.kept_at is 'When it was kept.';
