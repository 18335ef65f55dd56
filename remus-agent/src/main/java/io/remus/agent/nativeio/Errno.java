package io.remus.agent.nativeio;

/** Linux error numbers that the native library answers with, in words a sysadmin can act on. */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int ESRCH = 3;
  public static final int EIO = 5;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int EFAULT = 14;
  public static final int EBUSY = 16;
  public static final int EINVAL = 22;
  public static final int ENOSPC = 28;
  public static final int EPROTO = 71;
  public static final int EBADMSG = 74;
  public static final int EOPNOTSUPP = 95;
  public static final int ENETDOWN = 100;
  public static final int ENOBUFS = 105;
  public static final int ETIMEDOUT = 110;

  private Errno() {}

  /** A phrase for {@code errno}; its number when it is not one of the usual ones. */
  public static String describe(int errno) {
    return switch (errno) {
      case EPERM, EACCES -> "not permitted (the agent must run as root)";
      case ENOENT -> "no such file";
      case ESRCH -> "the process is gone";
      case EIO -> "input/output error";
      case ENOMEM -> "not enough memory";
      case EFAULT -> "the process has no such memory";
      case EBUSY -> "in use by another program";
      case EINVAL -> "invalid argument";
      case ENOSPC -> "no space left on the device";
      case EPROTO -> "unexpected answer";
      case EBADMSG -> "malformed data";
      case EOPNOTSUPP -> "not supported by this kernel";
      case ENETDOWN -> "the interface is gone";
      case ENOBUFS -> "buffer too small";
      case ETIMEDOUT -> "timed out";
      default -> "errno " + errno;
    };
  }
}
