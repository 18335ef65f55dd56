package io.remus.agent.etcd;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;

/**
 * One question at a time to whichever member of etcd answers. A question may reach several members:
 * it must do no more when it is done twice.
 */
final class EtcdGateway {
  /** For one question, all members together. */
  static final Duration LIMIT = Duration.ofSeconds(2);

  private static final ObjectMapper MAPPER = JsonMapper.builder().build();

  private final List<URI> endpoints;
  private final int attempts;
  private final HttpClient http;

  /** The member that answered last; only a hint where to begin. */
  private volatile int first;

  EtcdGateway(List<URI> endpoints, SSLContext tls) {
    this.endpoints = List.copyOf(endpoints);
    // A single member is asked twice: the connection kept from last time may be dead.
    this.attempts = Math.max(2, endpoints.size());
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            // Shorter than an attempt, so that what was never sent is known for that.
            .connectTimeout(LIMIT.dividedBy(attempts).multipliedBy(3).dividedBy(4))
            .sslContext(tls)
            .build();
  }

  List<URI> endpoints() {
    return endpoints;
  }

  /** An object to fill and ask with. */
  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /**
   * Asks the members in turn until one answers, each for an equal part of the time that is left.
   *
   * @param path below {@code /v3/}
   * @throws EtcdException when none answers in time, or the last one refuses
   */
  JsonNode ask(String path, ObjectNode question, Deadline deadline) throws EtcdException {
    int begin = first;
    boolean mayHaveTakenEffect = false;
    Set<String> reasons = new LinkedHashSet<>();
    for (int attempt = 0; attempt < attempts && !deadline.isOver(); attempt++) {
      int member = (begin + attempt) % endpoints.size();
      try {
        JsonNode answer =
            ask(endpoints.get(member), path, question, deadline.part(attempts - attempt));
        first = member;
        return answer;
      } catch (EtcdException e) {
        mayHaveTakenEffect |= e.mayHaveTakenEffect();
        reasons.add(e.getMessage());
      }
    }
    throw new EtcdException(String.join("; ", reasons), mayHaveTakenEffect);
  }

  /** Asks one member. */
  JsonNode ask(URI endpoint, String path, ObjectNode question, Duration limit)
      throws EtcdException {
    CompletableFuture<HttpResponse<String>> answer =
        http.sendAsync(
            HttpRequest.newBuilder(endpoint.resolve("/v3/" + path))
                .POST(HttpRequest.BodyPublishers.ofString(question.toString()))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    try {
      HttpResponse<String> response = answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      return checked(endpoint, response.statusCode(), response.body());
    } catch (TimeoutException e) {
      throw new EtcdException(
          "%s did not answer within %d ms".formatted(endpoint, limit.toMillis()), true);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      boolean sent =
          !(cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException);
      throw new EtcdException(endpoint + ": " + text(cause), sent);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EtcdException(endpoint + ": the agent stops", true);
    } finally {
      // Whatever it was, nobody waits for it any more: this closes a connection that hangs.
      answer.cancel(true);
    }
  }

  private static JsonNode checked(URI endpoint, int status, String body) throws EtcdException {
    JsonNode answer;
    try {
      answer = MAPPER.readTree(body);
    } catch (JacksonException e) {
      throw new EtcdException(
          "%s answers HTTP %d and no JSON; is it etcd 3.4 or newer?".formatted(endpoint, status),
          status < 400 || status >= 500);
    }
    if (status == 200) {
      return answer;
    }
    // 4xx is a refusal; with 5xx the member gave up waiting for the others, who may go on.
    throw new EtcdException(
        "%s answers HTTP %d: %s".formatted(endpoint, status, answer.path("message").asText(body)),
        status >= 500);
  }

  private static String text(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null) {
        return cause.getMessage();
      }
    }
    return failure instanceof ConnectException ? "connection refused" : failure.toString();
  }
}
