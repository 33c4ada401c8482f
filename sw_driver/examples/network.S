/* Links the program image and one picture into the firmware. Give the files on the command line:
 * -DNETWORK='"resnet20.lpi"' -DPICTURE='"cat.rgb"'. The image must be uncompressed (lutra program --plain); the picture holds the image bytes
 * [channel][row][column]. */
        .section .rodata.network, "a"
        .global network_lpi, network_lpi_end, picture
        .balign 64
network_lpi:
        .incbin NETWORK
network_lpi_end:
picture:
        .incbin PICTURE
