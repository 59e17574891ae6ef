/// The tables of one kind of file, and how older files become like it.
struct Schema {
  /// The number that says what the file is (`file` prints it). SQLite refuses nothing by it; the
  /// relay does.
  var applicationID: Int32
  var version: Int
  /// The tables of `version`, for new files.
  var tables: String
  /// `steps[n]` turns a file of version n into one of version n + 1.
  var steps: [Int: String]
}

// How to change a schema:
//
// 1. Never edit what a released version has created. Raise `version` by one.
// 2. Change `tables` so that new files are made in the new form.
// 3. Add `steps[old version]`: statements that turn an old file into the new form, at most one
//    pass over any table. They run in one transaction together with the new `user_version`, after
//    a copy of the file has been made beside it (`NAME.db.v1`), which stays until removed by hand.
// 4. Add a test that opens a file of the old version, made by the old text of `tables`, and reads
//    every column. `check` and `import` compare a file's schema with `tables`, text by text
//    (`StillFileSchema.swift`): have them know what `ALTER TABLE` makes of an old one too.
//    An older relay refuses the file (`newerSchema`): going back means the copy.

extension Schema {
  /// A workspace's queue.
  ///
  /// Times are nanoseconds since 1970 UTC. The small columns are in `message` and the bodies in
  /// tables of their own: an update of a message then rewrites one small page. While a message is
  /// handed out its state stays `queued` (2): the rows of `handout` say the rest.
  static let workspace = Schema(
    applicationID: 0x4132_4151, version: 1,  // "A2AQ"
    tables: """
      CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

      CREATE TABLE message(
        seq INTEGER PRIMARY KEY,
        tag INTEGER NOT NULL,
        state INTEGER NOT NULL,
        reason INTEGER,
        position INTEGER NOT NULL,
        at INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        caller TEXT NOT NULL,
        method INTEGER NOT NULL,
        dialect INTEGER NOT NULL,
        task INTEGER NOT NULL,
        context TEXT NOT NULL,
        message_id TEXT NOT NULL,
        dedup BLOB NOT NULL,
        rpc_id BLOB NOT NULL,
        is_immediate INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        -- task_received_at: when a caller had its Task, if another reply told it of the end later.
        received_at INTEGER,
        task_received_at INTEGER,
        told_at INTEGER,
        replay_of BLOB,
        answer_fence INTEGER,
        answer_hash BLOB,
        answer_is_late INTEGER,
        ended_at INTEGER
      ) STRICT;
      -- Unanswered, or a reply that nobody has received: what is read when the file is opened, also
      -- to find equal calls again. It grows at its end; an index over the random keys of equal
      -- calls would rewrite a page of its own for every message.
      CREATE INDEX message_open ON message(seq) WHERE state = \(Raw.queued) OR received_at IS NULL;
      -- Dead, expired, cancelled: few, and looked for by people.
      CREATE INDEX message_failed ON message(state, seq) WHERE state >= \(Raw.firstFailed);
      -- Messages that continue a task; the one that opened it has its number.
      CREATE INDEX message_task ON message(task, seq) WHERE task <> seq;

      -- Two tables, so that both grow at their ends: a result beside its request would split a page
      -- that is full.
      CREATE TABLE request(
        seq INTEGER PRIMARY KEY,
        head BLOB NOT NULL,
        body BLOB NOT NULL
      ) STRICT;
      CREATE TABLE answer(seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

      -- seq: of the message that opened it. A task without a row is submitted, and working from
      -- the first hand-out of that message on.
      CREATE TABLE task(
        seq INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        changed INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX task_interrupted ON task(seq) WHERE state IN (\(Raw.interrupted));

      -- What an agent streams while it works.
      CREATE TABLE event(
        task INTEGER NOT NULL,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY(task, number)
      ) STRICT, WITHOUT ROWID;

      -- `change` is the last thing that became of it; lease_end moves with it. What comes between a
      -- claim and the last change is not kept: agents extend all the time.
      CREATE TABLE handout(
        seq INTEGER NOT NULL,
        fence INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        consumer TEXT NOT NULL,
        at INTEGER NOT NULL,
        lease_end INTEGER NOT NULL,
        claimed_at INTEGER,
        change INTEGER,
        changed_at INTEGER,
        reason TEXT,
        PRIMARY KEY(seq, fence)
      ) STRICT, WITHOUT ROWID;

      -- What the timeline shows beside the other rows.
      CREATE TABLE log(
        seq INTEGER NOT NULL,
        number INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        at INTEGER NOT NULL,
        detail BLOB NOT NULL,
        PRIMARY KEY(seq, number)
      ) STRICT, WITHOUT ROWID;

      -- What operators have asked for over many messages, and how far it has come: `cursor` and the
      -- counts change in the transaction of what was moved. seqs: 8 bytes each.
      CREATE TABLE job(
        id INTEGER PRIMARY KEY,
        verb INTEGER NOT NULL,
        state INTEGER NOT NULL,
        actor TEXT NOT NULL,
        rate INTEGER NOT NULL,
        states INTEGER NOT NULL,
        since INTEGER,
        until INTEGER,
        last INTEGER NOT NULL,
        seqs BLOB NOT NULL,
        cursor INTEGER NOT NULL,
        matched INTEGER NOT NULL,
        done INTEGER NOT NULL,
        replayed INTEGER NOT NULL,
        skipped INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER
      ) STRICT;
      CREATE INDEX job_running ON job(id) WHERE state = \(Raw.running);

      -- Idempotency keys, of messages that came with one; seq: of that message, which may be gone.
      -- A message without a key costs nothing here.
      CREATE TABLE idempotency(
        seq INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        call BLOB NOT NULL,
        until INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX idempotency_key ON idempotency(key);

      -- Of a deleted message: until its key's window is over, or, when somebody has purged it, for
      -- as long as it would have been kept.
      CREATE TABLE tombstone(
        seq INTEGER PRIMARY KEY,
        tag INTEGER NOT NULL,
        caller TEXT NOT NULL,
        at INTEGER NOT NULL,
        cause INTEGER NOT NULL,
        actor TEXT NOT NULL,
        reason TEXT NOT NULL,
        until INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX tombstone_until ON tombstone(until);
      """,
    steps: [:])

  /// The registry: workspaces, tokens, orgs, and what was done to them.
  static let registry = Schema(
    applicationID: 0x4132_4152, version: 1,  // "A2AR"
    tables: """
      CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

      CREATE TABLE org(id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;

      CREATE TABLE workspace(
        id BLOB PRIMARY KEY,
        name TEXT NOT NULL,
        org TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        card BLOB NOT NULL,
        url TEXT NOT NULL,
        settings TEXT NOT NULL,
        state INTEGER NOT NULL,
        removed_at INTEGER,
        parent BLOB,
        -- Set with the first token and never unset: tokens go, the claim stays.
        claimed_at INTEGER,
        claimed_by TEXT NOT NULL,
        claimed_from TEXT NOT NULL,
        claimed_via TEXT NOT NULL
      ) STRICT;

      -- What changes all the time, apart from the rows with their cards. next_wake_at: when
      -- something in the workspace's file comes due, the largest number for never; without one that
      -- is not known, because the file has been written since.
      -- The rest: what the file held then, so that nobody has to open it to be told.
      CREATE TABLE pulse(
        id BLOB PRIMARY KEY,
        next_wake_at INTEGER,
        last_seen_at INTEGER,
        unanswered INTEGER,
        in_flight INTEGER,
        unreceived INTEGER,
        dead INTEGER,
        interrupted INTEGER,
        bytes INTEGER,
        oldest_unanswered_at INTEGER,
        oldest_unreceived_at INTEGER
      ) STRICT, WITHOUT ROWID;

      -- hash: SHA-256 of the secret, which is not kept.
      CREATE TABLE token(
        hash BLOB PRIMARY KEY,
        workspace BLOB,
        org TEXT NOT NULL,
        kind INTEGER NOT NULL,
        scopes INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        last_used_at INTEGER,
        fingerprint TEXT NOT NULL,
        revoked_at INTEGER,
        name TEXT NOT NULL,
        made_by TEXT NOT NULL,
        made_from TEXT NOT NULL,
        made_via TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX token_workspace ON token(workspace);

      -- As they are: agents read them back.
      CREATE TABLE secret(
        workspace BLOB NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY(workspace, key)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE audit(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        detail TEXT NOT NULL
      ) STRICT;
      """,
    steps: [:])
}
