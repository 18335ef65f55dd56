/**
 * The values every part of Remus speaks of: terms, epochs, and the proof that an epoch is safe on
 * the backup.
 */
package io.remus.core.epoch;
