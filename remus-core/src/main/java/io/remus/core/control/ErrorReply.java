package io.remus.core.control;

/**
 * Why a request was not done.
 *
 * @param code a stable name for programs, such as {@code unknown-vm}
 * @param message what happened and to which VM, for the sysadmin
 * @param advice what to do about it; empty when there is nothing to say
 */
public record ErrorReply(String code, String message, String advice) {}
