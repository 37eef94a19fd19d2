namespace Lorikeet.Kernels;

/// <summary>A size known to the compiler: conditions on it vanish.</summary>
internal interface IGemmSize
{
    static abstract int Value { get; }
}

internal readonly struct Size1 : IGemmSize
{
    public static int Value => 1;
}

internal readonly struct Size2 : IGemmSize
{
    public static int Value => 2;
}

internal readonly struct Size3 : IGemmSize
{
    public static int Value => 3;
}

internal readonly struct Size4 : IGemmSize
{
    public static int Value => 4;
}

internal readonly struct Size5 : IGemmSize
{
    public static int Value => 5;
}

internal readonly struct Size6 : IGemmSize
{
    public static int Value => 6;
}

internal readonly struct Size7 : IGemmSize
{
    public static int Value => 7;
}

internal readonly struct Size8 : IGemmSize
{
    public static int Value => 8;
}

internal readonly struct Size9 : IGemmSize
{
    public static int Value => 9;
}

internal readonly struct Size10 : IGemmSize
{
    public static int Value => 10;
}

internal readonly struct Size11 : IGemmSize
{
    public static int Value => 11;
}

internal readonly struct Size12 : IGemmSize
{
    public static int Value => 12;
}

internal readonly struct Size13 : IGemmSize
{
    public static int Value => 13;
}

internal readonly struct Size14 : IGemmSize
{
    public static int Value => 14;
}
