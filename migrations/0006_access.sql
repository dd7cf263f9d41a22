-- The JSON API: who may use it, what was asked twice, and replays that people ask for.
create table syncline.api_token (
    id int8 generated always as identity primary key,
    name text not null unique,
    digest bytea not null unique,
    scopes text[] not null,
    made_at int8 not null,
    expires_at int8,
    used_at int8,
    revoked_at int8
);
comment on table syncline.api_token is
    'Tokens of the JSON API. A token itself is shown once, when it is made, and kept nowhere.';
comment on column syncline.api_token.id is 'Its number.';
comment on column syncline.api_token.name is 'Who or what uses it.';
comment on column syncline.api_token.digest is 'SHA-256 of the token.';
comment on column syncline.api_token.scopes is 'What it may: read, write.';
comment on column syncline.api_token.made_at is 'When it was made.';
comment on column syncline.api_token.expires_at is 'From when on it is of no use; null is never.';
comment on column syncline.api_token.used_at is 'When it was used last, to the minute.';
comment on column syncline.api_token.revoked_at is 'When it was revoked.';

create table syncline.api_request (
    token int8 not null references syncline.api_token (id),
    key text collate "C" not null,
    digest bytea not null,
    status int2,
    body text,
    at int8 not null,
    primary key (token, key)
);
create index api_request_at on syncline.api_request (at);
comment on table syncline.api_request is
    'Changes that were asked for with an idempotency key, and what was answered, for a day: the '
    'same request again is answered alike and done once.';
comment on column syncline.api_request.token is 'The token that asked.';
comment on column syncline.api_request.key is 'The key that it chose.';
comment on column syncline.api_request.digest is
    'SHA-256 of the request: another one under the same key is refused.';
comment on column syncline.api_request.status is 'The answer''s status; null while under way.';
comment on column syncline.api_request.body is 'The answer.';
comment on column syncline.api_request.at is 'When it was begun.';

alter table syncline.parked add column asked_at int8;
comment on column syncline.parked.asked_at is
    'When a person asked last that it is tried again: it is, if that was after it was set aside.';
