-- The record that a create of ours made may be taken back, because somebody made the same one.
comment on column syncline.link.state is
    'Where it stands: 1 seen left, 2 seen right, 3 creating left, 4 creating right, 5 linked, 6 '
    'tombstone, 7 held, 8 ended, 9 merged; deleting left 10 fence, 11 delete, 12 look, 13 '
    'undelete; deleting right 20 to 23 likewise; retracting left 30 to 33 and right 40 to 43, '
    'a delete of the record that a create of ours made, whose partner stays.';
