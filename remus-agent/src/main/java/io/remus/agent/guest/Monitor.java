package io.remus.agent.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.libvirt.Domain;
import org.libvirt.LibvirtException;

/** QEMU's monitor of one domain, through libvirt. */
final class Monitor {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Domain domain;
  private final String vm;

  Monitor(Domain domain, String vm) {
    this.domain = domain;
    this.vm = vm;
  }

  /** A QMP command as text. {@code pairs} are argument names and values in turn. */
  static String command(String name, Object... pairs) {
    ObjectNode command = JSON.createObjectNode().put("execute", name);
    if (pairs.length > 0) {
      ObjectNode arguments = command.putObject("arguments");
      for (int i = 0; i < pairs.length; i += 2) {
        arguments.set((String) pairs[i], JSON.valueToTree(pairs[i + 1]));
      }
    }
    return command.toString();
  }

  /** Sends a command and waits for its end. Returns the QMP {@code return} value. */
  JsonNode run(String command) throws GuestException {
    try {
      JsonNode reply = JSON.readTree(domain.qemuMonitorCommand(command, 0));
      if (reply.has("error")) {
        throw new GuestException(
            GuestException.Kind.LIBVIRT,
            "QEMU of VM %s refused %s: %s"
                .formatted(vm, command, reply.path("error").path("desc").asText()),
            "see QEMU's log of the VM");
      }
      return reply.path("return");
    } catch (LibvirtException e) {
      throw new GuestException("the monitor of VM " + vm + " failed", e);
    } catch (JsonProcessingException e) {
      throw new GuestException("the monitor of VM " + vm + " gave no JSON", e);
    }
  }

  /** Runs a command of the human monitor. */
  String human(String commandLine) throws GuestException {
    return run(command("human-monitor-command", "command-line", commandLine)).asText();
  }

  /** QEMU's run state, such as {@code running} or {@code inmigrate}. */
  String runState() throws GuestException {
    return run(command("query-status")).path("status").asText();
  }
}
