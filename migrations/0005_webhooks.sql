-- What systems send unasked: webhooks, and what became of each delivery.
create table syncline.delivery (
    id int8 generated always as identity primary key,
    system text collate "C" not null,
    verdict text not null,
    reason text,
    sender text,
    at int8 not null,
    remote text not null,
    bytes int8 not null,
    notices int4 not null,
    hints int4 not null,
    repeated int4 not null,
    unmapped int4 not null,
    alike int8 not null
);
create index delivery_system on syncline.delivery (system, id);
comment on table syncline.delivery is
    'Deliveries of webhooks, with what became of each. Old ones are forgotten.';
comment on column syncline.delivery.id is 'Its number.';
comment on column syncline.delivery.system is 'The system it was for.';
comment on column syncline.delivery.verdict is
    'accepted, repeated, replayed, malformed, stranger, not_yet, forged, stale, unsigned, '
    'oversized, wrong_secret, wrong_address, no_certificate or insecure.';
comment on column syncline.delivery.reason is 'Why, in words, where it was not simply accepted.';
comment on column syncline.delivery.sender is 'The sender''s own id of it, where it gave one.';
comment on column syncline.delivery.at is 'When.';
comment on column syncline.delivery.remote is
    'The address it came from, as the peer or a trusted proxy told it.';
comment on column syncline.delivery.bytes is 'The length of its body, as far as it was read.';
comment on column syncline.delivery.notices is 'How many notices it had.';
comment on column syncline.delivery.hints is 'How many hints were made of them.';
comment on column syncline.delivery.repeated is 'How many of them had come before.';
comment on column syncline.delivery.unmapped is
    'How many of them were about entities that no mapping reads.';
comment on column syncline.delivery.alike is
    'How many refused ones like it came since the last row of them and have no row.';

create table syncline.delivery_notice (
    system text collate "C" not null,
    notice text collate "C" not null,
    at int8 not null,
    primary key (system, notice)
);
create index delivery_notice_at on syncline.delivery_notice (at);
comment on table syncline.delivery_notice is
    'Notices that were taken, so that one sent again is known. Kept for longer than any sender '
    'tries.';
comment on column syncline.delivery_notice.system is 'The system.';
comment on column syncline.delivery_notice.notice is 'The sender''s id of the notice.';
comment on column syncline.delivery_notice.at is 'When it was taken.';
