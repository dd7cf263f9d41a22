-- A field that changed on its side is left alone until somebody takes it as it is now.
comment on column syncline.awaited.kind is
    '0 a system, 1 a mapping, 2 a field that is observed and not written.';
comment on table syncline.awaited is
    'What the owner waits for: systems that have not answered since it started, the mappings that '
    'cannot begin before something is mended, and the fields that are not what they were.';
