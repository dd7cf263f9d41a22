//! The server's `postgresql.conf`, written anew at each start.

/// What a private cluster sets apart from Postgres's defaults, and why. Durability is left as
/// the defaults have it: `fsync` and `synchronous_commit` are on, since the ledger's commits are
/// promises.
pub(super) fn text(name: &str, logical: bool) -> String {
    let wal_level = if logical { "logical" } else { "replica" };
    format!(
        "\
# Written by Syncline at each start: changes here are lost.
cluster_name = 'syncline {name}'

# Reached from this machine only, and only by TCP.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100

# Fits beside the engine on a small machine.
shared_buffers = 256MB
# Checkpoints far apart write each page once instead of many times; recovery replays at most this.
max_wal_size = 1GB
checkpoint_timeout = 15min
# Statements are short: compiling them costs more than it gains.
jit = off

wal_level = {wal_level}
max_replication_slots = 20
max_wal_senders = 20

timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_min_messages = warning
"
    )
}
