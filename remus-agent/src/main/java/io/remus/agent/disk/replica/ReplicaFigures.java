package io.remus.agent.disk.replica;

/**
 * Figures of a replica since it was opened.
 *
 * @param journalBytes all segments together, now
 * @param unappliedBytes records of committed epochs that are not in the images yet, now
 * @param committedBytes records of all committed epochs
 * @param appliedBytes records written to the images, without the synchronisation
 * @param journalForces how often the journal was put on disk
 * @param imageForces how often an image was
 */
public record ReplicaFigures(
    long journalBytes,
    long unappliedBytes,
    long committedBytes,
    long appliedBytes,
    long journalForces,
    long imageForces) {}
