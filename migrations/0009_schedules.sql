-- What happens at set times, what reports are made of, and the reports.
create table syncline.schedule (
    name text primary key,
    times text not null,
    next_at int8 not null,
    last_at int8,
    outcome text
);
comment on table syncline.schedule is
    'What happens at set times. The owner moves a row in the transaction that does what was due, '
    'so that it is done once.';
comment on column syncline.schedule.name is 'What: report, retention.';
comment on column syncline.schedule.times is 'When, as the settings say it.';
comment on column syncline.schedule.next_at is 'When it is due next.';
comment on column syncline.schedule.last_at is 'When it was done last; null before that.';
comment on column syncline.schedule.outcome is 'What the last run did, in words.';

create table syncline.tally (
    mapping int4 not null,
    toward int2 not null,
    name text collate "C" not null,
    value int8 not null,
    primary key (mapping, toward, name)
) with (fillfactor = 20);
comment on table syncline.tally is
    'Running counts of mappings since their beginning, raised by the commit that does what they '
    'count.';
comment on column syncline.tally.mapping is 'The mapping.';
comment on column syncline.tally.toward is
    'The side that was written: 0 left, 1 right; 2 for what is of no direction.';
comment on column syncline.tally.name is
    'What: applied, measured, lag_micros, within, stale, missing, busy, cancelled, parked, asked, '
    'answered, or refused. and the kind of error.';
comment on column syncline.tally.value is 'How many; of lag_micros how long together.';

create table syncline.call (
    system text collate "C" primary key,
    calls int8 not null
) with (fillfactor = 20);
comment on table syncline.call is
    'Calls made to systems since their beginning, added up every few seconds: what an end of the '
    'process in between leaves out is not counted.';
comment on column syncline.call.system is 'The system.';
comment on column syncline.call.calls is 'How many.';

create table syncline.report (
    id int8 generated always as identity primary key,
    from_at int8 not null,
    until_at int8 not null,
    totals text not null,
    body text not null
);
create index report_until on syncline.report (until_at);
comment on table syncline.report is 'Reports: what was done between two times.';
comment on column syncline.report.id is 'Its number.';
comment on column syncline.report.from_at is 'The beginning of what it tells.';
comment on column syncline.report.until_at is 'Its end.';
comment on column syncline.report.totals is
    'The running counts at its end, JSON: what the next one is measured from.';
comment on column syncline.report.body is 'The report, JSON.';
