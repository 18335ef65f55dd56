package io.remus.agent.nativeio;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A small process that writes its memory when told: what QEMU is to the trackers. It is not this
 * process's child, as QEMU is not the agent's: the JVM waits for its children, and would take the
 * tracer's notices away.
 */
final class Victim implements AutoCloseable {
  private final Process parent;
  private final BufferedReader answers;
  private final Writer orders;
  private final int pid;
  private final MemoryBlock block;

  Victim(int pages) throws IOException {
    parent =
        new ProcessBuilder(
                "sh",
                "-c",
                "exec 3<&0; \"$@\" <&3 & wait",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx32m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName(),
                Integer.toString(pages))
            .redirectError(Redirect.INHERIT)
            .start();
    answers =
        new BufferedReader(
            new InputStreamReader(parent.getInputStream(), StandardCharsets.US_ASCII));
    orders = parent.outputWriter(StandardCharsets.US_ASCII);
    pid = Integer.parseInt(answers.readLine());
    block = new MemoryBlock(Long.parseLong(answers.readLine()), (long) pages * MemoryBlock.PAGE);
  }

  int pid() {
    return pid;
  }

  List<MemoryBlock> blocks() {
    return List.of(block);
  }

  /** Writes a whole page with one value; done when this returns. */
  void fill(int page, int value) throws IOException {
    orders.write(page + " " + value + "\n");
    orders.flush();
    if (!"done".equals(answers.readLine())) {
      throw new IOException("the victim is gone");
    }
  }

  /** All its pages, read past the trackers. */
  byte[] all() throws IOException {
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid() + "/mem", "r")) {
      byte[] copy = new byte[(int) block.bytes()];
      memory.seek(block.address());
      memory.readFully(copy);
      return copy;
    }
  }

  /** Ends it, and waits for the end. */
  @Override
  public void close() throws IOException, InterruptedException {
    orders.close();
    parent.waitFor();
  }

  /** The victim itself: says who and where it is, then takes orders of a page and a value. */
  public static void main(String[] arguments) throws IOException {
    long bytes = Long.parseLong(arguments[0]) * MemoryBlock.PAGE;
    try (Memory memory = new Memory(bytes + MemoryBlock.PAGE)) {
      Memory pages = memory.align(MemoryBlock.PAGE);
      PrintStream out = System.out;
      out.println(ProcessHandle.current().pid());
      out.println(Pointer.nativeValue(pages));
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      for (String order = in.readLine(); order != null; order = in.readLine()) {
        List<String> words = List.of(order.split(" ", 2));
        long page = Long.parseLong(words.get(0));
        pages.setMemory(page * MemoryBlock.PAGE, MemoryBlock.PAGE, Byte.parseByte(words.get(1)));
        out.println("done");
      }
    }
  }
}
