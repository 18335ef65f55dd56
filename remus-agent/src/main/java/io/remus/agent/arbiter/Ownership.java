package io.remus.agent.arbiter;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.remus.core.epoch.Term;
import java.io.UncheckedIOException;
import java.util.Objects;

/**
 * What etcd holds of a VM: who may show its copy, and who may take it over.
 *
 * @param vm the VM's name, for people
 * @param term under which the holder runs it
 * @param holder the host that may show its copy
 * @param standby the host that may take over; null when none may
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
record Ownership(String vm, long term, String holder, String standby) {
  /** Every field must be there, none twice, none that this version does not know. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .build();

  Ownership {
    if (vm == null || vm.isBlank() || holder == null || holder.isBlank()) {
      throw new IllegalArgumentException("vm and holder are names");
    }
    if (term < 1) {
      throw new IllegalArgumentException("term is at least 1");
    }
    if (standby != null && (standby.isBlank() || standby.equals(holder))) {
      throw new IllegalArgumentException("standby is null or another host than the holder");
    }
  }

  /** The primary runs the VM and its standby may take over. */
  static Ownership of(Pair pair) {
    return new Ownership(pair.vm(), pair.term().number(), pair.primary(), pair.standby());
  }

  /** The primary went on without its standby. */
  static Ownership alone(Pair pair) {
    return new Ownership(pair.vm(), pair.term().number(), pair.primary(), null);
  }

  /** The standby has taken over. */
  static Ownership takenOver(Pair pair) {
    return new Ownership(pair.vm(), pair.term().next().number(), pair.standby(), null);
  }

  /**
   * Reads what was written by {@link #json}.
   *
   * @throws IllegalArgumentException when it was written by somebody else
   */
  static Ownership parse(String json) {
    try {
      Ownership ownership = MAPPER.readValue(json, Ownership.class);
      if (ownership == null) {
        throw new IllegalArgumentException("it is null");
      }
      return ownership;
    } catch (JacksonException e) {
      boolean ours = e.getCause() instanceof IllegalArgumentException;
      throw new IllegalArgumentException(
          ours ? e.getCause().getMessage() : e.getOriginalMessage(), e);
    }
  }

  String json() {
    try {
      return MAPPER.writeValueAsString(this);
    } catch (JacksonException e) {
      throw new UncheckedIOException(e);
    }
  }

  Term termOf() {
    return new Term(term);
  }

  /** Whether it says the same, whatever the VM is called by now. */
  boolean saysWhat(Ownership other) {
    return term == other.term
        && holder.equals(other.holder)
        && Objects.equals(standby, other.standby);
  }
}
