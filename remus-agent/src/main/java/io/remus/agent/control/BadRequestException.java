package io.remus.agent.control;

/** A request that makes no sense; the message begins with the field or parameter it is about. */
final class BadRequestException extends Exception {
  private static final long serialVersionUID = 1L;

  BadRequestException(String field, String problem) {
    super(field.isEmpty() ? problem : field + ": " + problem);
  }
}
