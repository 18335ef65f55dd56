package io.remus.core.control;

/**
 * How far a comparison of a standby with its primary is.
 *
 * @param percent 0 to 100, how much of the primary's memory and disks was hashed
 * @param standbyHashed whether all of the standby's was
 */
public record VerificationProgress(double percent, boolean standbyHashed) {}
