#pragma once
/* For tests: a SQLite VFS named "fault" that passes everything to the default one and can make the
   n-th write, sync or truncate fail. What is armed belongs to the calling thread. */

enum fault_operation { FAULT_WRITE = 1, FAULT_SYNC = 2, FAULT_TRUNCATE = 4, FAULT_OPEN = 8 };

/* Registers the VFS once for the process. */
int fault_register(void);

/* From now on, of the operations in `mask`, number `nth` (1 is the next) fails with SQLite's `code`,
   and all later ones too if `stays`. A failing write leaves half of its bytes behind. nth 0: none. */
void fault_arm(int mask, long nth, int code, int stays);

/* Operations in the mask since fault_arm. */
long fault_count(void);

/* How often one failed since fault_arm. */
long fault_fired(void);
