-- A settled batch is audited before it goes: the history of its system is asked what its writes
-- replaced unseen (protocol W1).
alter table syncline.batch
    drop constraint batch_state_check,
    add constraint batch_state_check check (state in (0, 1, 2));
comment on column syncline.batch.state is '0 sent, 1 settled, 2 settled and audited.';
