package io.remus.cli.output;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command reads and prints.
 *
 * @param outIsTerminal a person watches the output: it may be redrawn
 * @param inIsTerminal a person can be asked
 */
public record Terminal(
    BufferedReader in,
    PrintStream out,
    PrintStream err,
    boolean inIsTerminal,
    boolean outIsTerminal) {

  /** The process's own standard streams, in UTF-8 whatever the locale. */
  public static Terminal standard() {
    boolean in = isTerminal(0);
    boolean out = isTerminal(1);
    return new Terminal(
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
        new PrintStream(new FileOutputStream(FileDescriptor.out), out, StandardCharsets.UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
        in,
        out);
  }

  /** Asks a person; anything but yes is no. */
  public boolean confirms(String question) {
    err.print(question + " [y/N] ");
    err.flush();
    try {
      String answer = in.readLine();
      return answer != null && (answer.equalsIgnoreCase("y") || answer.equalsIgnoreCase("yes"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Clears the screen, so that the next status takes the place of the last. */
  public void clear() {
    out.print("\u001b[H\u001b[2J");
  }

  // System.console() answers for both streams at once, and differently in each JDK.
  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException e) {
      return false;
    }
  }
}
