-- What is kept of mappings with sensitive fields is encrypted with a key a link: once the key is
-- gone, nothing opens it any more.
create table syncline.link_key (
    mapping int4 not null,
    link uuid not null,
    sealed bytea not null,
    made_at timestamptz not null default now(),
    primary key (mapping, link)
);
comment on table syncline.link_key is
    'Keys of links of mappings with sensitive fields: what is kept of such a link (its body, its '
    'journal, its questions, why it is parked) is encrypted with it.';
comment on column syncline.link_key.mapping is 'The mapping.';
comment on column syncline.link_key.link is 'The link.';
comment on column syncline.link_key.sealed is
    'Its key, sealed with a key that is not in this database, as stored logins are; bound to '
    'mapping and link.';
comment on column syncline.link_key.made_at is 'When it was made.';

alter table syncline.parked add column sealed bytea;
comment on column syncline.parked.sealed is
    'Message and advice, encrypted with the key of the link; both columns are empty then.';
comment on column syncline.link.body is
    'The last agreed image of each side as it stores it, what each showed last and is not agreed, '
    'how new that is, units that are held or waiting, where the base comes from. One column: '
    'statements over many rows cost by the column. Where its first byte is 129 the rest is a nonce '
    'of 24 bytes and XChaCha20-Poly1305 of it with the key of the link.';
comment on column syncline.api_request.digest is
    'SHA-256 of the request, salted with what only its caller knows: another one under the same '
    'key is refused.';
