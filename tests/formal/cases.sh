# Cases of run.sh.  prove NAME TOP MODULES PARAMETERS DEPTH INDUCTION COVER; fault NAME TOP MODULES PARAMETERS DEPTH MODULE SED
#
# What the depths prove: the parts (csr, tokens, addr, rd, wr, seq) for all time: DEPTH cycles from reset, and by induction over
# INDUCTION cycles from any state. The whole shell for its first 16 cycles only, with any program, core and memory: no induction
# (its invariants are those of the parts), and from 17 on a cycle takes minutes. In 16 cycles a program ends, a LOAD ends, an error
# stops a running transfer and a last write beat goes out: the covers show that.

prove csr lutra_csr '' '' 12 3 12
fault csr-1 lutra_csr '' '' 12 lutra_csr 's/(!s_axil_rvalid || s_axil_rready)/1/'
fault csr-2 lutra_csr '' '' 12 lutra_csr 's/else if (s_axil_bready) s_axil_bvalid/else s_axil_bvalid/'
fault csr-3 lutra_csr '' '' 12 lutra_csr "s/8{s_axil_wstrb\[2\]}/8{s_axil_wstrb[1]}/"

prove tokens lutra_tokens '' '' 10 3 20
fault tokens-1 lutra_tokens '' '' 20 lutra_tokens 's/&& !take\[i\] && !(&count)) count/\&\& !take[i]) count/'

addr='BEAT_ADDR=9 ROW_BITS=5 MAX_BURST=4'
prove addr lutra_dma_addr '' "$addr" 15 3 20
fault addr-1 lutra_dma_addr '' "$addr" 15 lutra_dma_addr 's/left\[LB-1:0\] <= room/left[LB-1:0] != 0/'
fault addr-2 lutra_dma_addr '' "$addr" 15 lutra_dma_addr 's/= ~req_addr\[LB-1:0\]/= {LB{1'"'"'b1}}/'
fault addr-3 lutra_dma_addr '' "$addr" 15 lutra_dma_addr "s/rows == 16'd1) ? S_IDLE/rows == 16'd2) ? S_IDLE/"

rd='lutra_dma_addr.abs lutra_gearbox_in'
narrow='BUS_BITS=32 FB_BITS=8 WEIGHT_BITS=64 PARAM_BITS=32 WORD_BITS=64 MAX_BURST=4'
prove rd-narrow lutra_dma_rd "$rd" "$narrow" 14 3 34
prove rd-wide lutra_dma_rd "$rd" 'BUS_BITS=256 FB_BITS=64 WEIGHT_BITS=64 PARAM_BITS=64 WORD_BITS=64 MAX_BURST=64' 12 3 24
prove rd-widest lutra_dma_rd "$rd" 'BUS_BITS=512 FB_BITS=64 WEIGHT_BITS=512 PARAM_BITS=1024 WORD_BITS=1024 MAX_BURST=64' 12 3 24
fault rd-narrow-1 lutra_dma_rd "$rd" "$narrow" 14 lutra_dma_rd 's/&& !bursts\[2\] && !hold/\&\& !hold/'
fault rd-narrow-2 lutra_dma_rd "$rd" "$narrow" 14 lutra_dma_rd 's/ && !hold;/;/'
fault rd-narrow-3 lutra_dma_rd "$rd" "$narrow" 14 lutra_dma_rd 's/if (!m_axi_arvalid) begin/begin/'
fault rd-narrow-4 lutra_dma_rd "$rd" "$narrow" 14 lutra_dma_rd 's/gen_req && ar_free && !fetch_req/gen_req \&\& ar_free/'

wr='lutra_dma_addr.abs lutra_gearbox_out'
four='BUS_BITS=32 FB_BITS=8 MAX_BURST=4'
prove wr-four lutra_dma_wr "$wr" "$four" 16 3 40
prove wr-two lutra_dma_wr "$wr" 'BUS_BITS=32 FB_BITS=64 MAX_BURST=16' 16 3 36
prove wr-one lutra_dma_wr "$wr" 'BUS_BITS=256 FB_BITS=256 MAX_BURST=64' 14 3 24
prove wr-padded lutra_dma_wr "$wr" 'BUS_BITS=512 FB_BITS=128 MAX_BURST=64' 14 3 24
fault wr-four-1 lutra_dma_wr "$wr" "$four" 16 lutra_dma_wr 's/&& !bursts\[1\] && !hold/\&\& !hold/'
fault wr-four-2 lutra_dma_wr "$wr" "$four" 16 lutra_dma_wr 's/if (!m_axi_awvalid) begin/begin/'
fault wr-four-3 lutra_dma_wr "$wr" "$four" 16 lutra_gearbox_out 's/held_last     <= burst_last/held_last <= 1/'
fault wr-four-4 lutra_dma_wr "$wr" "$four" 16 lutra_gearbox_out 's/!beat_valid || beat_ready/1/'
fault wr-four-5 lutra_dma_wr "$wr" "$four" 16 lutra_dma_wr 's/gen_idle \&\& bus_idle;/gen_idle;/'

seq='BUS_BITS=256 TARGETS=7'
prove seq lutra_seq lutra_tokens "$seq" 14 3 14
prove seq-one lutra_seq lutra_tokens 'BUS_BITS=512 TARGETS=31' 14 3 14
fault seq-1 lutra_seq lutra_tokens "$seq" 14 lutra_seq 's/ \&\& !fail \&\& !abort;/;/'
fault seq-2 lutra_seq lutra_tokens "$seq" 14 lutra_seq 's/ \&\& !ops\[1\]//'
fault seq-3 lutra_seq lutra_tokens "$seq" 14 lutra_seq 's/if (bus_idle) begin/begin/'
fault seq-4 lutra_seq lutra_tokens "$seq" 14 lutra_seq 's/ld_wait \&\& run/ld_wait/'

all='lutra_seq lutra_tokens lutra_counters lutra_csr lutra_dma_rd lutra_dma_wr lutra_dma_addr lutra_gearbox_in lutra_gearbox_out
    lutra_fb lutra_ram_1rw'
small='LANES=1 BUS_BITS=256 FB_BANKS=2 FB_WORDS=2 WEIGHT_BITS=8 PARAM_BITS=64 LD_BITS=64 RD_BURST=4 WR_BURST=4'
prove shell lutra_shell "$all" "$small" 16 0 22
fault shell-1 lutra_shell "$all" "$small" 15 lutra_seq 's/if (bus_idle) begin/begin/'
fault shell-2 lutra_shell "$all" "$small" 15 lutra_dma_wr 's/(cmd == C_RUN) && gen_idle/(cmd == C_RUN) || gen_idle/'
