-- The JSON API lists the journal of one mapping without walking through that of all others.
create index journal_by_mapping on syncline.journal (mapping, id);
