package io.remus.agent.control;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.remus.core.control.ErrorReply;

/**
 * An answer.
 *
 * @param body becomes JSON; null for none
 */
record Reply(HttpResponseStatus status, Object body) {
  static Reply ok(Object body) {
    return new Reply(HttpResponseStatus.OK, body);
  }

  static Reply error(HttpResponseStatus status, String code, String message, String advice) {
    return new Reply(status, new ErrorReply(code, message, advice));
  }
}
