-- Sweeps that people ask for, beside those that run by themselves.
create table syncline.sweep (
    mapping int4 primary key references syncline.mapping (id),
    asked int8 not null
);
comment on table syncline.sweep is 'Sweeps that people asked for.';
comment on column syncline.sweep.mapping is 'The mapping.';
comment on column syncline.sweep.asked is
    'How often one was asked for. The place of the stream `sweep:` tells how many of them the pass '
    'there answers.';
