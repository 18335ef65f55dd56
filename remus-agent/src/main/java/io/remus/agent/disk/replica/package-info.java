/**
 * What a backup keeps of a VM's disks: images that are at one epoch of the primary, and a redo
 * journal of the epochs that are not in the images yet.
 *
 * <pre>
 *   DISKS/UUID/replica.json      what the images are: {@link ReplicaRecord}, replaced as a whole
 *   DISKS/UUID/TARGET.raw        image of a disk, sparse; or a block device elsewhere
 *   DISKS/UUID/journal-N.log     segments of the journal: {@link SegmentHead}, {@link RecordHead}
 * </pre>
 *
 * The order of writes, which every crash test is about:
 *
 * <ol>
 *   <li>{@code syncing} is on disk and the journal deleted before a synchronisation writes an
 *       image.
 *   <li>Records of an epoch are appended to the journal as they arrive. A commit record makes them
 *       count.
 *   <li>The first commit after a synchronisation: images forced, journal forced, then {@code
 *       consistent} on disk.
 *   <li>A committed epoch goes to the images after the journal up to its commit record was forced.
 *   <li>A segment is full only after a commit record; it is forced before the next one is made.
 *   <li>A segment is deleted after the images were forced with everything of it, and after the
 *       record on disk says that the journal begins behind it.
 *   <li>{@code active} is on disk before a guest writes the images itself; nothing is replayed
 *       then.
 * </ol>
 *
 * Recovery replays whatever committed records are left, from the first segment that the record
 * names. Replaying twice does no harm, as records say what bytes become, not how they change.
 */
package io.remus.agent.disk.replica;
