-- Which writes of a batch belong together stands in the journal entries of its intents: a batch
-- holds many such groups.
alter table syncline.batch drop column together;
