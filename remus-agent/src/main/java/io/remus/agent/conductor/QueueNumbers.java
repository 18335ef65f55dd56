package io.remus.agent.conductor;

import java.util.Map;
import java.util.TreeMap;

/** Gives each protected VM a netfilter queue number of its own. Thread-safe. */
final class QueueNumbers {
  private final int first;
  private final Map<String, Integer> taken = new TreeMap<>();

  QueueNumbers(int first) {
    this.first = first;
  }

  /** The number of a VM; the same one until it is given back. */
  synchronized int take(String vm) {
    return taken.computeIfAbsent(vm, v -> free());
  }

  /** Keeps the number that an earlier agent gave a VM: its rules still send packets there. */
  synchronized void reserve(String vm, int number) {
    taken.put(vm, number);
  }

  synchronized void giveBack(String vm) {
    taken.remove(vm);
  }

  private int free() {
    int number = first;
    while (taken.containsValue(number)) {
      number++;
    }
    return number;
  }
}
